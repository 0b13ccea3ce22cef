import { z } from "zod";
import { accessKindsSchema } from "../../lib/host-access.ts";

/** What is captured and read of a page's DOM, and of its text, in characters. */
export const MAX_DOM_CHARS = 2_000_000;
export const MAX_TEXT_CHARS = 200_000;

/** What a page of a site is about; home: the page that the workload names, whatever it is about. */
export const pageKindSchema = z.enum([
  "home",
  "pricing",
  "product",
  "customers",
  "about",
  "changelog",
  "careers",
  "docs",
  "other",
]);
export type PageKind = z.infer<typeof pageKindSchema>;

/** A further page of a site, as scrape discovers it: an item of the steps over `steps.scrape.items`. */
export const pageItemSchema = z.strictObject({
  url: z.string(),
  /** Equal to `site` of the named page's capture. */
  site: z.string(),
  kind: pageKindSchema,
});
export type PageItem = z.infer<typeof pageItemSchema>;

/** What scrape found out about a site's other pages. */
export const discoverySchema = z.strictObject({
  /** To be read beside the named page. */
  chosen: z.array(z.strictObject({ url: z.string(), kind: pageKindSchema })),
  /** Pages of the site that were found and are not read. */
  unread: z.int().min(0),
  /** Pages that would have been chosen, had robots.txt allowed it. */
  disallowed: z.int().min(0),
  /** Addresses of other sites. */
  elsewhere: z.int().min(0),
  /** What a reader must know of it, e.g. "12 more pages were not read: pagesPerSite is 5". */
  caveats: z.array(z.string()),
});
export type Discovery = z.infer<typeof discoverySchema>;

/** A page after something on it was pressed. */
export const pageStateSchema = z.strictObject({
  /** Of what was pressed. */
  label: z.string().max(100),
  /** Rendered DOM. */
  html: z.string().max(MAX_DOM_CHARS),
});
export type PageState = z.infer<typeof pageStateSchema>;

/** What scrape captured of one page: artifact `capture` (JSON). Large parts are artifacts of their own. */
export const captureSchema = z.strictObject({
  /** As the workload names it or scrape discovered it, normalized. */
  url: z.string(),
  /** The site as the workload names it, which pages of one site have in common; absent: `url`. */
  site: z.string().optional(),
  kind: pageKindSchema.optional(),
  /** Of a named page whose site's other pages were looked for. */
  discovery: discoverySchema.optional(),
  /** After redirects. */
  finalUrl: z.string(),
  /** The address that the page says it has. Captures of one site with the same one are of the same page. */
  canonical: z.string().optional(),
  /** URLs that redirected, in order; empty without redirects. */
  redirects: z.array(z.string()),
  status: z.int(),
  title: z.string(),
  /** BCP 47: for which language and country the page was asked. */
  locale: z.string().optional(),
  /** What the page was shown of the workload's own namespace, by host: others may see another page. */
  hostAccess: accessKindsSchema.optional(),
  /** BCP 47, from the html element; empty when not given. */
  lang: z.string(),
  description: z.string(),
  capturedAt: z.iso.datetime(),
  timings: z.strictObject({
    responseMs: z.number(),
    domContentLoadedMs: z.number(),
    /** Null when the page never fired load. */
    loadMs: z.number().nullable(),
    totalMs: z.number(),
  }),
  viewport: z.strictObject({ width: z.int(), height: z.int() }),
  /** CSS pixels of the whole page, before any cap. */
  pageHeight: z.int(),
  /** Of those, what the full page's picture shows. */
  drawnHeight: z.int().positive().optional(),
  artifacts: z.strictObject({
    /** Rendered DOM, serialized: html. */
    dom: z.string(),
    /** Readable text: txt. */
    text: z.string(),
    /** PNG of the viewport. */
    screenshot: z.string(),
    /** JPEG of the full page, capped in height. */
    fullPage: z.string(),
    /** The page with other tabs and switches on, where prices differ then: JSON, a list of PageState. */
    states: z.string().optional(),
  }),
  /** What is incomplete, in words, e.g. "DOM cut at 2.0 million characters". */
  truncated: z.array(z.string()),
  /** Label of the consent banner's button that scrape pressed. */
  consentClosed: z.string().optional(),
  console: z.array(z.strictObject({ level: z.enum(["error", "warning"]), text: z.string() })),
  /** Seconds of a browser's time. */
  browserSeconds: z.number().min(0),
  /** What robots.txt says; unreachable: it redirects without end or to where the step may not go, which forbids nothing. */
  robots: z.enum(["allowed", "absent", "unreachable"]),
  egress: z.strictObject({
    requests: z.int(),
    bytes: z.int(),
    /** Requests that the egress proxy refused, by host and reason. */
    refused: z.array(z.strictObject({ host: z.string(), reason: z.string(), count: z.int() })),
  }),
});
export type Capture = z.infer<typeof captureSchema>;
