import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { countByKind, groupByRule, KIND_NAMES, KINDS, type RuleGroup, type Site } from "../finding.js";
import { type Audit, type Decision, worstRules } from "./audit.js";
import { STYLE } from "./style.js";

/** A piece of page, whose values were escaped as they were put in. */
type Html = ReturnType<typeof html>;

/** Nothing runs and nothing is loaded: one style sheet, by its hash, and pictures that are in the page. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; img-src data:; base-uri 'none'; form-action 'none'`;
const WORST = 6;

/** report.html: one self-contained file. `pictures`: data URIs by site. */
export async function reportPage(audit: Audit, pictures: ReadonlyMap<string, string>): Promise<string> {
  const { title, totals, sites } = audit;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${title}</title><style>${raw(STYLE)}</style></head><body>
<a class="skip" href="#overview">Skip to the overview</a>
<header><p class="meta">Site audit${audit.decision ? html` · ${audit.decision.at.slice(0, 10)}` : ""}</p><h1>${title}</h1>
<p class="lead">${count(totals.findings, "finding")} on ${count(totals.pages, "page")} of ${count(totals.sites, "site")}.</p>
${audit.decision ? reviewed(audit.decision) : ""}</header>
<main>
<section id="overview" aria-labelledby="overview-h"><h2 id="overview-h">Overview</h2>
<dl class="figures">${KINDS.map((kind) => html`<div><dt>${KIND_NAMES[kind]}</dt><dd>${totals[kind]}</dd></div>`)}</dl>
${overviewTable(audit)}</section>
${totals.findings > 0 ? html`<section aria-labelledby="first-h"><h2 id="first-h">What to mend first</h2><ol class="first">${worstRules(audit, WORST).map((group) => html`<li>${badge(group)} <strong>${group.title}</strong><br><span class="meta">${KIND_NAMES[group.kind]} · ${count(group.places.length, "place")} on ${hostsOf(group)}</span></li>`)}</ol></section>` : ""}
${sites.map((site, index) => siteSection(site, index, pictures.get(site.site)))}
<section aria-labelledby="method-h"><h2 id="method-h">How this was made</h2>
<p>Each page was opened once in Chromium, 1280 pixels wide, without a session and without agreeing to anything. axe-core applied its WCAG 2.2 A and AA rules and its best practices; machines find a part of what excludes people, so a page without findings is not thereby accessible. Requests to other sites were seen and refused. Links to the same host were asked for once. robots.txt was respected.</p></section>
</main>
<footer><p class="meta">The same findings are in report.json and, one a line, in report.csv.</p></footer>
</body></html>
`;
  return String(await page);
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
const host = (address: string): string => new URL(address).host;
const badge = ({ impact }: Pick<RuleGroup, "impact">): Html => html`<span class="impact ${impact}">${impact}</span>`;

function hostsOf({ places }: RuleGroup): string {
  return [...new Set(places.map(({ url }) => host(url)))].join(", ");
}

function reviewed({ by, automatic, comment }: Decision): Html {
  return html`<p class="${automatic ? "notice" : "meta"}">${automatic ? html`<strong>No person reviewed this:</strong> ${by} released it.` : html`Released by ${by}.`}</p>${comment ? html`<blockquote>${comment}</blockquote>` : ""}`;
}

function overviewTable({ sites, failed }: Audit): Html {
  const head = ["Site", "Pages", ...KINDS.map((kind) => KIND_NAMES[kind])];
  return html`<div class="scroll" role="region" aria-label="Findings of each site" tabindex="0"><table><thead><tr>${head.map((name, at) => html`<th scope="col"${at === 0 ? "" : raw(' class="n"')}>${name}</th>`)}</tr></thead><tbody>
${sites.map(({ site, pages }, index) => {
  const counts = countByKind(pages.flatMap(({ findings }) => findings));
  return html`<tr><th scope="row"><a href="#site-${index}">${host(site).replace(/^www\./, "")}</a></th><td class="n">${pages.length}</td>${KINDS.map((kind) => html`<td class="n${counts[kind] === 0 ? " zero" : ""}">${counts[kind]}</td>`)}</tr>`;
})}
${failed.map(({ site, message }) => html`<tr><th scope="row">${site}</th><td colspan="${KINDS.length + 1}">${message}</td></tr>`)}
</tbody></table></div>`;
}

function siteSection(site: Site, index: number, picture: string | undefined): Html {
  const { pages, failed, caveats } = site;
  const groups = groupByRule(pages);
  const found = KINDS.filter((kind) => groups.some((group) => group.kind === kind));
  return html`<section class="site" id="site-${index}" aria-labelledby="site-${index}-h"><h2 id="site-${index}-h">${host(site.site)}</h2>
<div class="top">${picture ? html`<img src="${picture}" width="1280" height="800" alt="The start page of ${host(site.site)}">` : ""}
<div><h3>Pages</h3><ul class="pages">${pages.map(({ url, title, findings }) => html`<li><a href="${url}" rel="noreferrer noopener">${title || url}</a> <span class="meta">${findings.length === 0 ? "no findings" : count(findings.length, "finding")}</span></li>`)}
${failed.map(({ url, message }) => html`<li>${url} <span class="meta">not audited: ${message}</span></li>`)}</ul></div></div>
${found.length === 0 && pages.length > 0 ? html`<p class="clean">Nothing was found on ${count(pages.length, "page")}.</p>` : ""}
${found.map((kind) => html`<h3>${KIND_NAMES[kind]}</h3><ul class="rules">${groups.filter((group) => group.kind === kind).map((group) => ruleItem(group, pages.length))}</ul>`)}
${caveats.length > 0 ? html`<div class="notice"><h3>Caveats</h3><ul>${caveats.map((caveat) => html`<li>${caveat}</li>`)}</ul></div>` : ""}
</section>`;
}

function ruleItem(group: RuleGroup, pages: number): Html {
  const { title, rule, help, places } = group;
  const onPages = new Set(places.map(({ url }) => url)).size;
  const where = onPages === pages && pages > 1 ? "every page" : count(onPages, "page");
  return html`<li>${badge(group)} <strong>${title}</strong> <span class="meta">${help ? html`<a href="${help}" rel="noreferrer noopener">${rule}</a>` : rule}</span>
<details><summary>${count(places.length, "place")} on ${where}<span class="hidden">: ${title}</span></summary><ul class="places">${places.map(({ url, where: at, detail, evidence }) => html`<li><a href="${url}" rel="noreferrer noopener">${pathOf(url)}</a> <code>${at}</code><br>${detail}${evidence ? html`<pre tabindex="0">${evidence}</pre>` : ""}</li>`)}</ul></details></li>`;
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}
