import type { AgentEdges, StepContext } from "agentic-kubernetes/agent";
import type { Page as AuditedPage } from "../finding.js";
import type { PageItem } from "../item.js";
import { inBrowser, open } from "../open.js";
import { runAxe } from "./axe.js";
import { headerFindings } from "./headers.js";
import { type Link, MAX_LINKS, ownLinks, readLinks } from "./links.js";
import { watchTraffic } from "./privacy.js";

const JPEG_QUALITY = 70;

export interface Look {
  /** What a browser sees of a page; its links are not checked yet. */
  readonly page: Omit<AuditedPage, "screenshot">;
  readonly links: readonly Link[];
  readonly screenshot: Uint8Array;
}

/** Opens a page once and audits it. @throws as open */
export async function look(
  edges: AgentEdges,
  context: StepContext,
  { site, url }: PageItem,
): Promise<{ value: Look; browserSeconds: number }> {
  return inBrowser(edges, context, async (browser) => {
    const traffic = watchTraffic(browser);
    const page = await browser.newPage();
    const { response, complete } = await open(page, url);
    const axe = await runAxe(page);
    const privacy = await traffic.findings(response.url());
    const links = ownLinks(await readLinks(page), response.url());
    return {
      page: {
        site,
        url,
        title: (await page.title()).slice(0, 200),
        status: response.status(),
        findings: [...axe.findings, ...privacy.findings, ...headerFindings(await response.allHeaders())],
        checked: { rules: axe.rules, requests: traffic.count(), cookies: privacy.cookies, links: 0 },
        caveats: [
          ...(complete ? [] : ["Audited before everything had loaded."]),
          ...axe.caveats,
          ...privacy.caveats,
          ...(links.length > MAX_LINKS ? [`Has ${links.length} links; the first ${MAX_LINKS} were checked.`] : []),
        ],
      },
      links: links.slice(0, MAX_LINKS),
      screenshot: await page.screenshot({ type: "jpeg", quality: JPEG_QUALITY, animations: "disabled" }),
    };
  });
}
