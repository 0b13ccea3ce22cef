import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

const FOR =
  /\b(?:for|built for|made for|designed for|loved by|trusted by|für|pour|para|per)\s+((?:(?!for\b|your\b|you\b|free\b|every\b|that\b|who\b|which\b|and it\b|the\b|a\b|an\b|us\b|me\b|der\b|die\b|das\b|ihr\b|sie\b|where\b|when\b|whose\b|however\b|with\b|but\b|because\b)[\p{L}'’-]+[ ,]*){1,5})/giu;
const PEOPLE =
  /\b(?:teams?|businesses|companies|restaurants?|cafés?|cafes?|bars?|hotels?|engineers?|marketers?|professionals?|individuals?|hobbyists?|beginners?|everyone|anyone|founders?|makers?|entrepreneurs?|photographers?|artists?|writers?|families|parents|educators?|teachers?|universities|organi[sz]ations?|nonprofits?|merchants?|sellers?|travell?ers?|nerds?|bloggers?|musicians?|consultants?|lawyers?|doctors?|accountants?|shops?|stores?|retail(?:ers)?|clinics?|hospitals?|practices|agencies|studios?|freelancers?|startups?|enterprises?|managers?|owners?|nurses|crews?|developers?|designers?|creators?|students?|schools?|warehouses?|franchises?|chains?|betriebe|unternehmen|praxen|gastronomie|handel|pflege|équipes|entreprises)\b/iu;
/** "who want to ship faster" */
const CLAUSE = /^(?:that|who|which)\s[^.;!?:–—]{3,90}/iu;
const MAX = 6;

/** Whom the page addresses. */
export function findAudience(document: PageDocument, description: string, cite: Cite): Analysis["audience"] {
  const found = new Map<string, Analysis["audience"][number]>();
  const lines: (readonly [string, PageElement?])[] = [
    ...[...document.querySelectorAll("h1, h2, h3, h4, p, li, div, span")]
      .filter((element) => element.querySelector("h1, h2, h3, h4, p, li, div") === null)
      .map((element) => [textOf(element), element] as const),
    [description],
  ];
  for (const [line, element] of lines) {
    if (line.length > 400) continue;
    for (const match of line.matchAll(FOR)) {
      const people = (match[1] ?? "").replace(/[\s,]+$/, "");
      const rest = line.slice(match.index + match[0].length).match(CLAUSE)?.[0] ?? "";
      const value = `${people} ${rest}`.trim().toLowerCase();
      if (!PEOPLE.test(people) || found.has(value) || found.size >= MAX) continue;
      found.set(value, { value, evidence: cite(line, element) });
    }
  }
  return [...found.values()];
}
