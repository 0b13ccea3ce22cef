import { imagesIn, mapImages, repositoryOf } from "./images.ts";

/** sha256:…, or why it is not known, as a sentence without an end. */
export type Resolve = (image: string) => Promise<{ readonly digest: string } | { readonly unknown: string }>;

/**
 * With each tag replaced by the digest that it has now: what runs is what was resolved once, on every node. A tag whose registry does not
 * answer stays, and is said. An image of the nodes' own (`dev.local/`) is in no registry.
 */
export async function byDigest<T>(manifests: T, resolve: Resolve, say: (line: string) => void): Promise<T> {
  const tagged = imagesIn(manifests).filter((image) => !image.includes("@") && !image.startsWith("dev.local/"));
  const found = await Promise.all(tagged.map(async (image) => [image, await resolve(image)] as const));
  const pinned = new Map<string, string>();
  for (const [image, answer] of found) {
    if ("digest" in answer) pinned.set(image, `${repositoryOf(image)}@${answer.digest}`);
    say("digest" in answer ? `${image} is ${answer.digest}` : `${image} stays a tag: ${answer.unknown}`);
  }
  return mapImages(manifests, (image) => pinned.get(image) ?? image);
}

/** Of an image for one platform, or of a list of them. */
const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TIMEOUT_MS = 10_000;

/** Asks the image's registry, as whoever has no login there (OCI distribution specification 1.1; tokens as Docker's registries want them). */
export const askRegistry: Resolve = async (image) => {
  const { host, repository, tag } = partsOf(image);
  const address = `${isLoopback(host) ? "http" : "https"}://${host}/v2/${repository}/manifests/${tag}`;
  try {
    const headers = { accept: MANIFESTS };
    let answer = await ask(address, headers);
    const challenge = answer.status === 401 ? answer.headers.get("www-authenticate") : null;
    if (challenge !== null)
      answer = await ask(address, { ...headers, authorization: `Bearer ${await tokenFor(challenge)}` });
    if (answer.status !== 200) return { unknown: `its registry answers ${answer.status}` };
    const digest = answer.headers.get("docker-content-digest") ?? "";
    return DIGEST.test(digest) ? { digest } : { unknown: "its registry names no sha256" };
  } catch (error) {
    return { unknown: `its registry does not answer (${reasonOf(error)})` };
  }
};

const ask = (address: string, headers: Record<string, string>): Promise<Response> =>
  fetch(address, { method: "HEAD", headers, signal: AbortSignal.timeout(TIMEOUT_MS) });

async function tokenFor(challenge: string): Promise<string> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const { realm, service, scope } = fields;
  if (!/^bearer /i.test(challenge) || !realm) throw new Error("it wants a login");
  const url = new URL(realm);
  if (service) url.searchParams.set("service", service);
  if (scope) url.searchParams.set("scope", scope);
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`it gives no token: ${answer.status}`);
  const { token, access_token } = (await answer.json()) as { token?: unknown; access_token?: unknown };
  const given = token ?? access_token;
  if (typeof given !== "string") throw new Error("it gives no token");
  return given;
}

/** As Docker reads a name: a first part with a dot, a port, or localhost is a registry; else it is the one of docker.io. */
export function partsOf(image: string): { readonly host: string; readonly repository: string; readonly tag: string } {
  const name = repositoryOf(image);
  const tag = image.slice(name.length + 1) || "latest";
  const [first = "", ...rest] = name.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const host = isHost ? first : "docker.io";
  const path = isHost ? rest : [first, ...rest];
  // What docker.io is called where it is asked, and where what has no owner is.
  if (host !== "docker.io") return { host, repository: path.join("/"), tag };
  return { host: `registry-1.${host}`, repository: path.length > 1 ? path.join("/") : `library/${path[0]}`, tag };
}

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
