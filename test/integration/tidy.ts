import sharp from "sharp";
import type { StepResult } from "../../engine/result.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";
import { askedWorkload } from "../ask-agent.ts";

export const PAGE = `<title>Tidy – Cleaning plans</title><h1>Clean offices, quietly</h1><p>For small offices and studios.</p>
  <div class="plans"><div><h3>Weekly</h3><p>$90/month</p><ul><li>One visit</li></ul><a class="btn" href="/weekly">Choose Weekly</a></div>
  <div><h3>Daily</h3><p>$240/month</p><ul><li>Five visits</li></ul><a class="btn" href="/daily">Choose Daily</a></div></div>
  <blockquote>“Spotless since 2019.” — Ada, office manager</blockquote>`;
export const TEXT = `Clean offices, quietly
For small offices and studios.
Weekly
$90/month
One visit
Choose Weekly
Daily
$240/month
Five visits
Choose Daily
“Spotless since 2019.” — Ada, office manager`;
/** What scrape would have stored for a small page at http://tidy.test/, for the workload `uid`. */
export async function captureTidy(
  artifacts: Artifacts,
  {
    html = PAGE,
    text = TEXT,
    uid = "uid-1",
    truncated = [],
    kind,
  }: {
    readonly html?: string;
    readonly text?: string;
    readonly uid?: string;
    readonly truncated?: string[];
    readonly kind?: Capture["kind"];
  } = {},
): Promise<StepResult> {
  const put = artifacts.put.bind(artifacts, askedWorkload(uid));
  const png = sharp({ create: { width: 1280, height: 800, channels: 3, background: "#204060" } }).png();
  const capture: Capture = {
    url: "http://tidy.test/",
    ...(kind === undefined ? {} : { kind, site: "http://tidy.test/start" }),
    finalUrl: "http://tidy.test/",
    redirects: [],
    status: 200,
    title: "Tidy – Cleaning plans",
    lang: "en",
    description: "",
    capturedAt: "2026-01-01T00:00:00Z",
    timings: { responseMs: 1, domContentLoadedMs: 2, loadMs: 3, totalMs: 4 },
    viewport: { width: 1280, height: 800 },
    pageHeight: 800,
    artifacts: {
      dom: await put(html, "html"),
      text: await put(text, "txt"),
      screenshot: await put(await png.toBuffer(), "png"),
      fullPage: await put("jpg", "jpg"),
    },
    truncated,
    console: [],
    browserSeconds: 1,
    robots: "allowed",
    egress: { requests: 1, bytes: 1, refused: [] },
  };
  return {
    outcome: "succeeded",
    artifacts: { capture: await put(JSON.stringify(capture), "json") },
    usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 1 },
  };
}
