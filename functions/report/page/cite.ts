import { html } from "hono/html";
import { atCitations } from "../claims.ts";
import type { Insight, Report } from "../report.ts";
import type { Html } from "./html.ts";

/** Renders what a statement says and what it rests on. */
export interface Citer {
  /** A text whose citations, "[c12]", are links to the claims. */
  readonly text: (text: string) => Html;
  /** Links to claims. */
  readonly links: (ids: readonly string[]) => Html | "";
  /** What an insight rests on: claims, sites, how sure it is. */
  readonly basis: (insight: Insight) => Html;
}

export function createCiter({ claims, competitors }: Report): Citer {
  const known = new Map(claims.map((claim) => [claim.id, claim]));
  const link = (id: string): Html => {
    const claim = known.get(id);
    return claim ? html`<a class="cite" href="#${id}" title="${claim.quote}">${id}</a>` : html`[${id}]`;
  };
  const links = (ids: readonly string[]): Html | "" =>
    ids.length ? html`<span class="cites">${ids.map((id, at) => html`${at ? " " : ""}${link(id)}`)}</span>` : "";
  return {
    // Numbers stand at every other place.
    text: (text) => html`${atCitations(text).map((part, at) => (at % 2 ? link(part) : part))}`,
    links,
    basis({ sites, claims: cited, confidence }) {
      const named = sites.length < competitors.length ? competitors.filter(({ id }) => sites.includes(id)) : [];
      const names = named.map(({ id, label }, at) => html`${at ? ", " : ""}<a href="#${id}">${label}</a>`);
      return html`<span class="meta">${links(cited)}${cited.length ? " · " : ""}${names}${named.length ? " · " : ""}confidence: ${confidence}</span>`;
    },
  };
}
