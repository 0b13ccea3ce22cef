import sharp from "sharp";
import { canonicalJson } from "../../engine/canonical.ts";
import type { Finding, Findings } from "../../engine/findings.ts";
import type { Summary } from "../../engine/summary.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import { digestOf } from "../../lib/edges/artifacts.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";

// Findings of an imagined pipeline, as real artifacts, and the review record over them.

export const UID = "7d1f3c52-0000-4000-8000-000000000001";
export const REF = { namespace: "default", name: "invoicing" };
export const WORKLOAD = { ...REF, uid: UID };
export const OPENED = new Date("2026-11-20T12:00:00Z");
export const TIMEOUT = "2026-11-21T12:00:00.000Z";

type Fact = Summary["facts"][number];

export const fact = (label: string, value: string, more: Partial<Fact> = {}): Fact => ({ label, value, ...more });

export function summaryOf(title: string, over: Partial<Summary> = {}): Summary {
  return { title, facts: [], pictures: [], caveats: [], ...over };
}

const drawn = new Map<string, Promise<Buffer>>();

/** A PNG of one colour and a few lines, so that pictures differ. Each is drawn once. */
export function pngOf(color: string, width = 640, height = 400): Promise<Buffer> {
  const key = `${color} ${width} ${height}`;
  const known = drawn.get(key) ?? draw(color, width, height);
  drawn.set(key, known);
  return known;
}

function draw(color: string, width: number, height: number): Promise<Buffer> {
  const bars = [0.12, 0.3, 0.42, 0.54]
    .map((at) => `<rect x="8%" y="${at * 100}%" width="${70 - at * 60}%" height="6%" fill="#fff" opacity="${1 - at}"/>`)
    .join("");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${color}"/>${bars}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** Stores the summary (or whatever stands in its place). @returns the finding of a step that succeeded with it */
export async function succeeded(
  artifacts: Artifacts,
  item: string,
  summary: unknown,
  step = "analyze",
): Promise<Finding> {
  const key = await artifacts.put(WORKLOAD, JSON.stringify(summary), "json");
  return { step, item, outcome: "succeeded", artifacts: { summary: key } };
}

export function failed(item: string, reason: string, message: string, step = "scrape"): Finding {
  return { step, item, outcome: "failed", reason, message, artifacts: {} };
}

/** Stores findings. @returns the record of the review that opens over them */
export async function recordOf(
  artifacts: Artifacts,
  results: readonly Finding[],
  over: Partial<Findings> = {},
): Promise<ReviewRecord> {
  const findings: Findings = {
    workload: WORKLOAD,
    run: "a1b2c3d4e5",
    pipeline: {
      namespace: "agentic-system",
      name: "market-analysis",
      description: "Capture sites, analyze them, let a person review, write the report.",
    },
    gate: "review",
    inputs: { objective: "Find gaps in invoicing tools for freelancers.", depth: 2 },
    results: [...results],
    ...over,
  };
  const key = await artifacts.put(WORKLOAD, canonicalJson(findings), "json");
  return {
    workload: findings.workload,
    review: {
      gate: findings.gate,
      run: findings.run,
      digest: digestOf(key),
      openedAt: OPENED.toISOString(),
      timeoutAt: TIMEOUT,
      onTimeout: "Reject",
      costOfApproving: "0.002",
    },
    findings: key,
    usage: { costUsd: 0.0081, inputTokens: 40_000, outputTokens: 1200, browserSeconds: 12 },
  };
}

/** Summaries as the analysis of sites publishes them: pictures, single facts, groups with evidence, caveats. */
export async function sites(artifacts: Artifacts): Promise<Finding[]> {
  const site = async (name: string, color: string, over: Partial<Summary> = {}): Promise<Finding> => {
    const url = `https://${name.toLowerCase().replaceAll(" ", "-")}.example/`;
    const image = await artifacts.put(WORKLOAD, await pngOf(color, 1280, 800), "png");
    const full = await artifacts.put(WORKLOAD, await pngOf(color, 1280, 3600), "png");
    const summary = summaryOf(name, {
      subtitle: url,
      pictures: [{ image, full, alt: `The page ${url} as it was seen`, width: 1280, height: 800 }],
      facts: [
        fact("Positioning", `${name} sends your invoices while you sleep`, {
          quote: "Invoices that send themselves.",
          url,
        }),
        fact("Prices", "from $9 a month to $49 a month"),
        fact("First call to action", "Start free trial"),
        fact("Offers", "Solo: $9 a month", { id: "offers/solo", quote: "Solo $9/mo", url: `${url}pricing` }),
        fact("Offers", "Studio: $29 a month", { id: "offers/studio", quote: "Studio $29/mo", url: `${url}pricing` }),
        fact("Offers", "Agency: $49 a month", { quote: "Agency $49/mo", url: `${url}pricing` }),
        fact("Audience", "Freelancers", { quote: "Made for freelancers", url }),
        fact("Audience", "Small studios", { quote: "and for small studios", url }),
        fact("Proof", "12,000 customers", { quote: "Trusted by 12,000 freelancers", url }),
        fact("Proof", "4.8 of 5 stars"),
      ],
      ...over,
    });
    return succeeded(artifacts, url, summary);
  };
  return [
    await site("Billow", "#2c5f8a"),
    await site("Paper Plane", "#7a4b8f", {
      caveats: ["The page was cut at 20,000 pixels of 41,200.", "Prices are shown only after a currency is chosen."],
    }),
    await site("Ledgerline", "#2f7d5b"),
    failed("https://blocked.example/", "Blocked", "the page shows a captcha instead of its content"),
  ];
}
