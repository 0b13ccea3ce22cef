import type { BrowserContext, Page } from "playwright-core";
import type { Access, HostAccess } from "../../lib/host-access.ts";

/**
 * Shows what the workload's namespace has for single hosts to exactly these: cookies by the browser's own rules (of the host, not read by
 * scripts, not sent for other sites' pages), headers by requests that are looked at one by one. Playwright's own way to set headers repeats
 * them after a redirect to another host. A page that has left for a host of which nothing is held is shown nothing more: its scripts could have
 * our headers sent, and read what comes of it.
 */
export async function showAccess(context: BrowserContext, page: Page, url: URL, access: HostAccess): Promise<void> {
  const cookies = Object.entries(access).flatMap(([host, own]) => cookiesOf(host, own, url));
  if (cookies.length > 0) await context.addCookies(cookies);
  if (!Object.values(access).some(({ headers }) => headers)) return;
  const session = await context.newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  let hasLeft = false;
  session.on("Fetch.requestPaused", ({ requestId, request, resourceType, frameId, ...answer }) => {
    const asked = new URL(request.url);
    const isMain = resourceType === "Document" && frameId === frameTree.frame.id;
    const mayBeShown = mayShow(asked, url, access);
    if (isMain && isDocument(answer) && !mayBeShown) hasLeft = true;
    const headers = mayBeShown && !hasLeft && !isAnswered(answer) ? access[asked.hostname]?.headers : undefined;
    const shown = headers ? { headers: withHeaders(request.headers, headers) } : {};
    // The page may be gone by now.
    void session.send("Fetch.continueRequest", { requestId, ...shown }).catch(() => undefined);
  });
  const ofHosts = Object.keys(access).flatMap((host) => [`*://${host}/*`, `*://${host}:*`]);
  const documents = { urlPattern: "*", resourceType: "Document", requestStage: "Response" } as const;
  await session.send("Fetch.enable", { patterns: [...ofHosts.map((urlPattern) => ({ urlPattern })), documents] });
}

/** What a paused request has when it is paused a second time, before its answer is read. */
interface Answer {
  readonly responseStatusCode?: number;
  readonly responseErrorReason?: string;
  readonly responseHeaders?: readonly { readonly name: string }[];
}

const isAnswered = ({ responseStatusCode, responseErrorReason }: Answer): boolean =>
  responseStatusCode !== undefined || responseErrorReason !== undefined;

/** Else it redirects, and what it says is not read. */
function isDocument({ responseStatusCode = 0, responseHeaders = [] }: Answer): boolean {
  const redirects = [301, 302, 303, 307, 308].includes(responseStatusCode);
  return (
    responseStatusCode > 0 && !(redirects && responseHeaders.some(({ name }) => name.toLowerCase() === "location"))
  );
}

function cookiesOf(host: string, { cookies = [] }: Access, { protocol }: URL) {
  // Without a dot in front a cookie is of this host alone.
  const own = { domain: host, httpOnly: true, sameSite: "Lax", secure: protocol === "https:" } as const;
  return cookies.map((cookie) => ({ ...cookie, ...own }));
}

/** Not without TLS, where the page itself was asked for with it. */
export function mayShow(asked: URL, page: URL, access: HostAccess): boolean {
  const isWeaker = page.protocol === "https:" && asked.protocol !== "https:";
  return !isWeaker && Object.hasOwn(access, asked.hostname);
}

/** In place of those of the same name. */
function withHeaders(sent: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>) {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const others = Object.entries(sent).filter(([name]) => !names.has(name.toLowerCase()));
  return [...others, ...Object.entries(own)].map(([name, value]) => ({ name, value }));
}
