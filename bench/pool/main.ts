/**
 * The pool of browsers beside one Chromium a site: the same ten sample sites, ten at once, with the same flags, through the same edge
 * (lib/edges/browser.ts). Sites a minute, and the memory of all browsers and of Browserless itself, shared pages counted once. In turn, so
 * that both meet the same noise. ROUNDS: how often (default 5).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import { parse } from "yaml";
import { startSampleSites } from "../../examples/serve.ts";
import { type Browser, connectBrowser } from "../../lib/edges/browser.ts";
import { startChromium } from "../../lib/edges/chromium.ts";
import { median, report } from "../harness.ts";
import { childrenMemoryMb } from "../pipeline/process-tree.ts";
import { contextFor, visit } from "../pipeline/visit.ts";
import { startBrowserless } from "./browserless.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const AT_ONCE = 10;
/** Each site, in one round. */
const VISITS = 3;
const SAMPLE_MS = 500;
const FILE = fileURLToPath(new URL("../../examples/market-analysis.yaml", import.meta.url));
const { spec } = parse(readFileSync(FILE, "utf8")) as { spec: { inputs: { sites: string[] } } };

const sites = await startSampleSites({});
const { signal } = new AbortController();
const visitIn = (browser: Browser, url: string): Promise<number> =>
  browser.withContext(contextFor(sites.port), signal, (context) => visit(context, url));

interface Round {
  readonly sitesAMinute: number;
  readonly meanMb: number;
  readonly peakMb: number;
}

async function measure(visitOne: (url: string) => Promise<number>): Promise<Round> {
  const urls = Array.from({ length: VISITS }, () => spec.inputs.sites).flat();
  const samples: number[] = [];
  const sampler = setInterval(() => samples.push(childrenMemoryMb(process.pid)), SAMPLE_MS);
  const began = performance.now();
  const limit = pLimit(AT_ONCE);
  const bytes = await limit.map(urls, visitOne);
  const minutes = (performance.now() - began) / 60_000;
  clearInterval(sampler);
  if (bytes.some((count) => count < 10_000)) throw new Error("a site was not shown");
  return {
    sitesAMinute: urls.length / minutes,
    meanMb: samples.reduce((sum, mb) => sum + mb, 0) / samples.length,
    peakMb: Math.max(...samples),
  };
}

async function pooled(): Promise<Round> {
  const browserless = await startBrowserless();
  const browser = connectBrowser(() => browserless.endpoint);
  try {
    return await measure((url) => visitIn(browser, url));
  } finally {
    await browser.close();
    await browserless.stop();
  }
}

async function oneASite(): Promise<Round> {
  const chromium = await startChromium();
  try {
    return await measure(async (url) => {
      const browser = connectBrowser(() => chromium.open());
      return visitIn(browser, url).finally(() => browser.close());
    });
  } finally {
    await chromium.stop();
  }
}

const rounds: { pool: Round; apart: Round }[] = [];
try {
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ pool: await pooled(), apart: await oneASite() });
    console.log(`round ${round + 1} of ${ROUNDS}`, rounds.at(-1));
  }
} finally {
  await sites.close();
}

const of = (figure: (round: { pool: Round; apart: Round }) => number): number => median(rounds.map(figure));
report("pool", [
  { figure: "the pool, 10 sites at once: pace", value: of(({ pool }) => pool.sitesAMinute), unit: "sites/min" },
  { figure: "one Chromium a site: pace", value: of(({ apart }) => apart.sitesAMinute), unit: "sites/min" },
  {
    figure: "pace of the pool over one Chromium a site, pair by pair",
    value: of(({ pool, apart }) => pool.sitesAMinute / apart.sitesAMinute),
    unit: "×",
    goal: 1,
    atLeast: true,
  },
  { figure: "the pool: memory, mean", value: of(({ pool }) => pool.meanMb), unit: "MB" },
  { figure: "the pool: memory, peak", value: of(({ pool }) => pool.peakMb), unit: "MB" },
  { figure: "one Chromium a site: memory, mean", value: of(({ apart }) => apart.meanMb), unit: "MB" },
  { figure: "one Chromium a site: memory, peak", value: of(({ apart }) => apart.peakMb), unit: "MB" },
  {
    figure: "mean memory of the pool over one Chromium a site, pair by pair",
    value: of(({ pool, apart }) => pool.meanMb / apart.meanMb),
    unit: "×",
    goal: 1 / 3,
  },
]);
