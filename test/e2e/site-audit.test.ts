import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRunsApp } from "../../cli/kubectl/runs-page.ts";
import { connectBrowser } from "../../lib/edges/browser.ts";
import { startChromium } from "../../lib/edges/chromium.ts";
import { running, startWorld, WAITING } from "../integration/runs-fixture.ts";

// The example as a user runs it: one command, packed and installed, agents in processes of their own. What it found is compared
// with what was planted.

const EXAMPLE = fileURLToPath(new URL("../../examples/site-audit/", import.meta.url));
const WIDTHS = [1280, 390];

interface Truth {
  /** By host. A finding is its rule and where it is. */
  readonly [host: string]: {
    readonly onEveryPage: readonly string[];
    readonly pages: Readonly<Record<string, readonly string[]>>;
  };
}
interface Audit {
  readonly sites: readonly {
    readonly failed: readonly unknown[];
    readonly caveats: readonly string[];
    readonly pages: readonly { readonly url: string; readonly findings: readonly { rule: string; where: string }[] }[];
  }[];
}

let out: string;
let ended: { code: number | null; said: string };
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), "site-audit-"));
  ended = await runExample();
});
afterAll(() => rm(out, { recursive: true, force: true }));

async function runExample(): Promise<typeof ended> {
  const child = spawn(process.execPath, [join(EXAMPLE, "run.ts"), "--out", out], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => {
      said += data.toString();
    });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said };
}

async function json<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, "utf8")) as T;
}

test("finds on each page exactly what was planted there", async () => {
  expect(ended.code, ended.said).toBe(0);
  const truth = await json<Truth>(join(EXAMPLE, "sites/truth.json"));
  const planted = Object.entries(truth).flatMap(([host, { onEveryPage, pages }]) =>
    Object.entries(pages).map(([path, own]) => [`http://${host}${path}`, [...onEveryPage, ...own].sort()] as const),
  );
  const { sites } = await json<Audit>(join(out, "report.json"));
  const found = sites.flatMap(({ pages }) =>
    pages.map(({ url, findings }) => [url, findings.map(({ rule, where }) => `${rule} ${where}`).sort()] as const),
  );
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(planted));
  expect(found.length).toBe(planted.length);
});

test("says what it left out: robots.txt, further pages, what others would have sent", async () => {
  const { sites } = await json<Audit>(join(out, "report.json"));
  const caveats = sites.flatMap((site) => site.caveats).join("\n");
  expect(caveats).toContain("robots.txt disallows 1 address.");
  expect(caveats).toContain("1 further address was not looked at.");
  expect(caveats).toContain("cdn.trackwell.example");
  expect(sites.flatMap(({ failed }) => failed)).toEqual([]);
});

test("the CSV has a line for each finding", async () => {
  const { sites } = await json<Audit>(join(out, "report.json"));
  const findings = sites.flatMap(({ pages }) => pages.flatMap((page) => page.findings));
  const lines = (await readFile(join(out, "report.csv"), "utf8")).trimEnd().split("\r\n");
  expect(lines.length).toBe(findings.length + 1);
});

/** What axe says against a page, wide and narrow, light and dark. @returns the addresses that it asked for */
async function expectAccessible(html: string): Promise<string[]> {
  const require = createRequire(join(EXAMPLE, "package.json"));
  const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  const requests: string[] = [];
  const chromium = await startChromium();
  const browser = connectBrowser(chromium.endpoint, chromium.directory);
  try {
    for (const width of WIDTHS)
      for (const colorScheme of ["light", "dark"] as const)
        await browser.withContext(
          { viewport: { width, height: 900 }, colorScheme },
          AbortSignal.timeout(120_000),
          async (context) => {
            const page = await context.newPage();
            page.on("request", (request) => requests.push(request.url()));
            await page.setContent(html);
            expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
            await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
            await page.evaluate(axe);
            const violations = await page.evaluate(
              "axe.run().then(({ violations }) => violations.map(({ id }) => id))",
            );
            expect(violations, `${width} pixels, ${colorScheme}`).toEqual([]);
          },
        );
  } finally {
    await browser.close();
    await chromium.stop();
  }
  return requests;
}

test("the report itself passes axe, wide and narrow, light and dark, and needs nothing from elsewhere", async () => {
  const requests = await expectAccessible(await readFile(join(out, "report.html"), "utf8"));
  expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([]);
});

test("this project's pages of runs pass it as well", async () => {
  const world = await startWorld();
  try {
    world.api.put({ namespace: "team-a", name: "asked" }, WAITING);
    world.api.put({ namespace: "team-a", name: "crawl" }, running(7));
    const { feed, log, draining } = world;
    const { app, base } = createRunsApp({ feed, now: () => new Date(), log, draining: draining.signal });
    const { origin } = await world.serve(app);
    for (const path of ["", "/team-a/asked", "/team-a/none"])
      await expectAccessible(await (await fetch(`${origin}${base}${path}`)).text());
  } finally {
    await world.close();
  }
});

test("its lock file fits the package that this checkout makes", async () => {
  interface Entry {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly integrity?: string;
  }
  const { packages } = await json<{ packages: Record<string, Entry> }>(join(EXAMPLE, "package-lock.json"));
  const installed = await json<Entry>(join(EXAMPLE, "node_modules/agentic-kubernetes/package.json"));
  const locked = packages["node_modules/agentic-kubernetes"];
  // The package's bytes change with each change of the checkout.
  const hint =
    "run npm install in examples/site-audit, then remove the integrity of agentic-kubernetes from package-lock.json";
  expect(locked?.integrity, hint).toBeUndefined();
  expect(locked?.dependencies, hint).toEqual(installed.dependencies);
});

test("the same command again finds it done", async () => {
  const { code, said } = await runExample();
  expect([code, said]).toEqual([0, expect.stringContaining("Already done")]);
});
