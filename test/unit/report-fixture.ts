import sharp from "sharp";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { type FinalDecision, type Findings, gateOutcome } from "../../engine/findings.ts";
import { upstream } from "../../engine/outcomes.ts";
import type { StepInput } from "../../engine/result.ts";
import { compare } from "../../functions/report/compare.ts";
import type { Dossier, EarlierReport } from "../../functions/report/report.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { Analysis, Price } from "../../pipelines/market-analysis/analysis.ts";
import type { Capture, PageKind } from "../../pipelines/market-analysis/capture.ts";

export const UID = "7d1f3c52-0000-4000-8000-000000000001";
export const WORKLOAD = { namespace: "default", name: "invoicing", uid: UID };
const SHOT = `default/${UID}/${"0".repeat(64)}.png`;

const CAPTURED_AT = "2026-11-20T10:00:00.000Z";

export interface Site {
  name: string;
  url: string;
  claim?: string;
  audience?: string[];
  offers?: [name: string, price: Partial<Price> | null, features?: string[]][];
  proof?: [Analysis["proof"][number]["kind"], string][];
  calls?: [text: string, target?: string][];
  color?: string;
  caveats?: string[];
  /** Further pages of the site, each with what it says. */
  pages?: readonly Page[];
  /** What the capture says was cut. */
  truncated?: string[];
  analyst?: Analysis["analyst"];
  canonical?: string;
  /** Of a claim, by its value: where it stands on the full page. */
  crops?: Readonly<Record<string, { x: number; y: number; width: number; height: number }>>;
}

export interface Page extends Omit<Site, "pages" | "url"> {
  readonly path: string;
  readonly kind: PageKind;
}

/** A further page of a site as a site of its own. */
export const pageOf = ({ path, ...page }: Page, { url }: Site): Site & { kind: PageKind; site: string } => ({
  ...page,
  site: url,
  url: new URL(path, url).href,
});

export const price = (amount: number, more: Partial<Price> = {}): Price => ({
  amount,
  currency: "USD",
  period: "month",
  from: false,
  ...more,
});

export function analysisOf(site: Site & { site?: string; kind?: PageKind }, screenshot = SHOT, image = SHOT): Analysis {
  const said = (text: string) => {
    const box = site.crops?.[text];
    return { text, screenshot, url: site.url, at: CAPTURED_AT, ...(box ? { crop: { image, box } } : {}) };
  };
  return {
    site: site.site ?? site.url,
    ...(site.kind ? { page: { url: site.url, kind: site.kind } } : {}),
    name: site.name,
    analyst: site.analyst ?? { kind: "extractive" },
    positioning: site.claim ? { value: site.claim, evidence: said(site.claim) } : null,
    audience: (site.audience ?? []).map((value) => ({ value, evidence: said(`Made for ${value}`) })),
    offers: (site.offers ?? []).map(([name, given, features = []]) => ({
      name,
      price: given && price(given.amount ?? 0, given),
      features,
      evidence: said(given ? `${name} ${given.currency ?? "$"}${given.amount ?? 0}` : `${name}: contact us`),
    })),
    callsToAction: (site.calls ?? [["Get started", `${site.url}signup`]]).map(([text, target]) => ({
      text,
      ...(target === undefined ? {} : { target }),
      evidence: said(text),
    })),
    proof: (site.proof ?? []).map(([kind, value]) => ({ kind, value, evidence: said(value) })),
    technology: [{ value: "Bootstrap", evidence: said('<link href="bootstrap.min.css">') }],
    design: {
      palette: [
        { hex: site.color ?? "#336699", share: 0.5 },
        { hex: "#ffffff", share: 0.4 },
      ],
      layout: ["hero", "3 columns"],
      screenshot,
    },
    caveats: site.caveats ?? [],
    usage: { inputTokens: 100, outputTokens: 10, costUsd: 0.0001, browserSeconds: 0 },
  };
}

export function captureOf(site: Site, screenshot = SHOT, fullPage = SHOT): Capture {
  return {
    url: site.url,
    finalUrl: site.url,
    ...(site.canonical === undefined ? {} : { canonical: site.canonical }),
    redirects: [],
    status: 200,
    title: `${site.name} – home`,
    lang: "en",
    description: "",
    capturedAt: CAPTURED_AT,
    timings: { responseMs: 80, domContentLoadedMs: 200, loadMs: 400, totalMs: 900 },
    viewport: { width: 1280, height: 800 },
    pageHeight: 2400,
    artifacts: { dom: SHOT, text: SHOT, screenshot, fullPage },
    truncated: site.truncated ?? [],
    consentClosed: "Accept all",
    console: [],
    browserSeconds: 2.5,
    robots: "allowed",
    egress: { requests: 12, bytes: 90_000, refused: [{ host: "fonts.example", reason: "NotAllowed", count: 2 }] },
  };
}

const site = (name: string, host: string, rest: Omit<Site, "name" | "url">): Site => ({
  name,
  url: `https://${host}.example/`,
  ...rest,
});

/** Ten makers of invoicing software, as different as a market is. */
export const TEN: readonly Site[] = [
  site("Ledgerly", "ledgerly", {
    claim: "Simple invoicing for freelancers",
    audience: ["freelancers"],
    offers: [
      ["Free", { amount: 0 }, ["5 invoices"]],
      ["Solo", { amount: 9 }, ["Unlimited invoices", "Reminders"]],
      ["Team", { amount: 19 }, ["Unlimited invoices", "Shared inbox"]],
    ],
    proof: [["testimonial", "“I get paid a week earlier.” Ana, designer"]],
    calls: [["Start free"]],
    color: "#1d6f5c",
  }),
  site("PayNimbus", "paynimbus", {
    claim: "Get paid in minutes, automatically",
    audience: ["small businesses"],
    offers: [
      ["Starter", { amount: 15 }, ["Card payments"]],
      ["Growth", { amount: 120, period: "year" }, ["Card payments", "Dunning"]],
    ],
    proof: [
      ["metric", "12,000 businesses"],
      ["rating", "4.8 of 5 on 900 reviews"],
    ],
    calls: [["Try it free"]],
    color: "#3455db",
  }),
  site("Quillbook Accounting & Invoicing Suite", "quillbook", {
    claim: "The complete accounting suite for growing enterprises",
    audience: ["enterprises"],
    offers: [
      ["Business", { amount: 79, from: true }, ["Multi-entity", "Audit trail", "SSO", "API"]],
      ["Enterprise", null, ["Everything", "Support manager"]],
    ],
    proof: [
      ["customer", "Norwind Logistics"],
      ["customer", "Halle Foods"],
      ["award", "Best suite 2025"],
    ],
    calls: [["Book a demo"], ["Contact sales"]],
    color: "#7b1e3a",
  }),
  site("Tallyhop", "tallyhop", {
    claim: "Easy billing your team will love",
    audience: ["small teams"],
    offers: [["Team", { amount: 12, per: "user" }, ["Time tracking", "Invoices"]]],
    proof: [["testimonial", "“Onboarded in an hour.”"]],
    calls: [["Start your free trial"]],
    color: "#e07a1f",
  }),
  site("Fakturo", "fakturo", {
    claim: "Secure, GDPR-compliant invoices",
    audience: ["agencies"],
    offers: [
      ["Basis", { amount: 14, currency: "EUR" }, ["E-invoice"]],
      ["Pro", { amount: 29, currency: "EUR" }, ["E-invoice", "DATEV export"]],
    ],
    calls: [["Sign up"]],
    color: "#222222",
  }),
  site("Invoice Garden", "invoicegarden", {
    claim: "Beautiful invoices in seconds",
    offers: [
      ["Free forever", { amount: 0 }, ["Templates"]],
      ["Bloom", { amount: 6 }, ["Templates", "Logo"]],
    ],
    calls: [["Get started free"]],
    color: "#5aa02c",
  }),
  site("Corebill", "corebill", {
    claim: "Subscription billing that scales",
    audience: ["developers"],
    offers: [
      ["Launch", { amount: 49 }, ["API", "Webhooks"]],
      ["Scale", { amount: 249 }, ["API", "Webhooks", "Revenue recognition", "SLA"]],
    ],
    proof: [
      ["metric", "99.99% uptime"],
      ["customer", "Lumen Apps"],
    ],
    calls: [["Start building"], ["Talk to sales"]],
    color: "#4b2fbf",
  }),
  site("Old Mill Books", "oldmill", {
    claim: "Bookkeeping by people, not software",
    audience: ["local shops"],
    offers: [
      ["Bookkeeper", { amount: 45, period: "hour" }, ["A person"]],
      ["Setup", { amount: 300, period: "once" }, ["Migration"]],
    ],
    proof: [["guarantee", "30 days money back"]],
    calls: [["Call us"]],
    color: "#8a6d3b",
  }),
  site("Zentra", "zentra", {
    claim: "AI agents that do your invoicing",
    offers: [["Talk to us", null]],
    calls: [["Request a demo"]],
    caveats: ["the page tries to instruct the reader’s model"],
    color: "#0b0b17",
  }),
  site("Penny & Co", "pennyco", {
    claim: "Affordable invoicing, no hidden fees",
    audience: ["freelancers", "students"],
    offers: [
      ["One", { amount: 2, period: "week" }, ["Invoices"]],
      ["Plus", { amount: 11 }, ["Invoices", "Receipts"]],
    ],
    proof: [["rating", "4.2 of 5"]],
    calls: [["Start free trial"]],
    color: "#c2317f",
  }),
];

/** Many sites, told apart by their numbers alone; every fifth without any price. */
export function many(count: number): Site[] {
  return Array.from({ length: count }, (_, at) => {
    const like = TEN[at % TEN.length] ?? TEN[0];
    const offers =
      at % 5 === 0
        ? []
        : (like?.offers ?? []).map(([name, given, features]): NonNullable<Site["offers"]>[number] => [
            name,
            given && { ...given, amount: (given.amount ?? 0) * (1 + Math.floor(at / 10)) },
            features ?? [],
          ]);
    return { ...like, name: `${like?.name} ${at + 1}`, url: `https://site-${at + 1}.example/`, offers };
  });
}

export const OBJECTIVE = "How should a new invoicing product be priced and positioned?";

export const decisionOn = (findings: Findings, more: Partial<FinalDecision> = {}): FinalDecision => ({
  gate: "review",
  decision: "approved",
  digest: sha256(canonicalJson(findings)),
  by: "erika@example.com",
  how: "ReviewLink",
  automatic: false,
  at: "2026-11-21T09:30:00.000Z",
  ...more,
});

/** What gate `review` shows of these sites, and of one that could not be captured. */
export function findingsOf(
  sites: readonly Site[],
  keys: (site: Site) => { capture: string; analysis: string },
): Findings {
  return {
    workload: WORKLOAD,
    run: "a1b2c3d4e5",
    pipeline: { namespace: "agentic-system", name: "market-analysis" },
    gate: "review",
    inputs: { objective: OBJECTIVE },
    results: [
      ...sites.map((one) => ({
        step: "analyze",
        item: one.url,
        outcome: "succeeded" as const,
        artifacts: { ...keys(one) },
      })),
      ...sites.flatMap((one) =>
        (one.pages ?? []).map((page) => ({
          step: "analyze-pages",
          item: { site: one.url, url: pageOf(page, one).url, kind: page.kind },
          outcome: "succeeded" as const,
          artifacts: { ...keys(pageOf(page, one)) },
        })),
      ),
      {
        step: "scrape",
        item: "https://blocked.example/",
        outcome: "failed",
        reason: "Blocked",
        message: "the site answered with a captcha",
        artifacts: {},
      },
    ],
  };
}

/** A screenshot that looks like a page, PNG. */
export function screenshotOf({ color = "#336699", name }: Site): Promise<Buffer> {
  const title = name.replace(/[^\w .]/g, "");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="800"><rect width="1280" height="800" fill="#fff"/><rect width="1280" height="330" fill="${color}"/><text x="90" y="190" font-size="64" font-family="DejaVu Sans" fill="#fff">${title}</text><g fill="#eee"><rect x="90" y="400" width="330" height="320"/><rect x="475" y="400" width="330" height="320"/><rect x="860" y="400" width="330" height="320"/></g></svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** Stores everything that a report is written from. @returns the step's input */
export async function stage(
  artifacts: Artifacts,
  sites: readonly Site[],
  decided: Partial<FinalDecision> = {},
  params: Readonly<Record<string, unknown>> = { objective: OBJECTIVE },
): Promise<StepInput> {
  const keys = new Map<string, { capture: string; analysis: string }>();
  for (const one of sites.flatMap((site) => [site, ...(site.pages ?? []).map((page) => pageOf(page, site))])) {
    const picture = await screenshotOf(one);
    const shot = await artifacts.put(WORKLOAD, picture, "png");
    const full = await artifacts.put(WORKLOAD, await sharp(picture).jpeg().toBuffer(), "jpg");
    keys.set(one.url, {
      capture: await artifacts.put(WORKLOAD, JSON.stringify(captureOf(one, shot, full)), "json"),
      analysis: await artifacts.put(WORKLOAD, JSON.stringify(analysisOf(one, shot, full)), "json"),
    });
  }
  const findings = findingsOf(sites, ({ url }) => keys.get(url) ?? { capture: "", analysis: "" });
  const decision = decisionOn(findings, decided);
  const review = gateOutcome(decision, {
    findings: await artifacts.put(WORKLOAD, canonicalJson(findings), "json"),
    decision: await artifacts.put(WORKLOAD, JSON.stringify(decision), "json"),
  });
  return { params, from: { review: [upstream(review)] } };
}

/** What a report says of these sites without an author. */
export function dossierOf(
  sites: readonly Site[],
  decided: Partial<FinalDecision> = {},
  earlier?: Dossier | EarlierReport | string,
): Dossier {
  const findings = findingsOf(sites, () => ({ capture: "c", analysis: "a" }));
  const subjects = sites.map((site) => ({
    item: site.url,
    pages: [
      { url: site.url, kind: "home" as const, capture: captureOf(site), analysis: analysisOf(site) },
      ...(site.pages ?? []).map((page) => {
        const one = pageOf(page, site);
        return { url: one.url, kind: page.kind, capture: captureOf(one), analysis: analysisOf(one) };
      }),
    ] as const,
  }));
  const decision = decisionOn(findings, decided);
  return compare({ objective: OBJECTIVE, findings, decision, subjects, ...(earlier === undefined ? {} : { earlier }) });
}
