import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { analysisSchema } from "../../pipeline/analysis.ts";
import { findingsSchema } from "../../pipeline/findings.ts";
import { startRedis } from "../redis-server.ts";
import { agentic, type Command, EXAMPLE, killAfter } from "./cli.ts";
import { endServers, processesOf } from "./processes.ts";

const truth = await loadTruth();
let sites: SampleSites;
let out: string;
let commands: Command[] = [];
beforeAll(async () => {
  sites = await startSampleSites();
});
afterAll(() => sites.close());
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "agentic-e2e-"));
  commands = [];
});
afterEach(async () => {
  for (const { child, ended } of commands) {
    child.kill("SIGKILL");
    await ended;
  }
  await endServers(out);
  await rm(out, { recursive: true, force: true });
});

function resolveTo(port: number): string[] {
  return truth.flatMap(({ site }) => ["--resolve", `${new URL(site).host}=127.0.0.1:${port}`]);
}
function run(args: readonly string[] = ["--approve"], port = sites.port): Command {
  const command = agentic(["run", EXAMPLE, "--out", out, ...resolveTo(port), ...args]);
  commands.push(command);
  return command;
}
async function artifact<T>(key: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await readFile(join(out, "artifacts", key), "utf8")));
}
const hitsOf = (site: string): number => {
  const { host } = new URL(site);
  return sites.hits.get(`${host}/`) ?? 0;
};

describe("agentic run", () => {
  test("takes the ten sites to a report that says what they say", async () => {
    const { code, stdout, stderr } = await run(["--approve", "--output", "json"]).ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining("[10/10] analyze")]);
    const state = JSON.parse(stdout) as { phase: string; sites: unknown; report: Record<string, string> };
    expect(state).toMatchObject({ phase: "Succeeded", sites: { total: 10, scraped: 10, analyzed: 10, failed: 0 } });
    const kinds = { html: "<!doctype html>", markdown: "# How should", json: "{", pdf: "%PDF" };
    for (const [format, start] of Object.entries(kinds))
      expect((await readFile(state.report[format] ?? "", "latin1")).slice(0, 20).toLowerCase()).toContain(
        start.toLowerCase(),
      );

    const reviews = join(out, "reviews", "default_market-analysis");
    const review = JSON.parse(await readFile(join(reviews, "review.json"), "utf8")) as { findings: string };
    const findings = await artifact(review.findings, findingsSchema);
    for (const one of truth) {
      const steps = findings.items.find(({ item }) => item === one.site)?.steps;
      const found = await artifact(steps?.["analyze"]?.artifacts["analysis"] ?? "", analysisSchema);
      expect(found.name).toBe(one.name);
      expect(found.positioning?.value).toBe(one.positioning);
      expect(found.offers.map(({ name, price }) => ({ name, price }))).toEqual(one.offers);
      expect(found.callsToAction.map(({ text }) => text)).toEqual(expect.arrayContaining(one.callsToAction));
      for (const proof of one.proof) expect(JSON.stringify(found.proof)).toContain(proof);
    }
    const html = await readFile(state.report["html"] ?? "", "utf8");
    expect(html).toContain("fonts.thirdparty.example");
    expect(processesOf(out)).toEqual([]);

    const again = await run().ended;
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("Already done")]);
  });

  test("killed -9 again and again, it goes on and repeats no finished step", async () => {
    const before = new Map(truth.map(({ site }) => [site, hitsOf(site)]));
    const finished = new Set<string>();
    let kills = 0;
    for (;;) {
      const command = run();
      const killed = sleep(killAfter(1200, kills)).then(() => command.child.kill("SIGKILL"));
      const { code, stderr } = await command.ended;
      for (const [, step, site] of stderr.matchAll(/(scrape|analyze) +(http\S+) {2}\d/g)) {
        // Reported once, by the command that did it: what was found done is not reported again.
        expect([...finished]).not.toContain(`${step} ${site}`);
        finished.add(`${step} ${site}`);
      }
      await killed;
      if (code === 0) break;
      kills++;
    }
    expect(kills).toBeGreaterThan(2);
    // A page is visited once, and once more for each kill that met it in flight: at most five are in flight at once.
    const visits = truth.reduce((sum, { site }) => sum + hitsOf(site) - (before.get(site) ?? 0), 0);
    expect(visits).toBeLessThanOrEqual(truth.length + kills * 5);
    expect(JSON.parse(await readFile(join(out, "run.json"), "utf8"))).toMatchObject({
      phase: "Succeeded",
      sites: { analyzed: 10 },
    });
  });

  test("two at once: one works, the other says who", async () => {
    const first = run();
    await first.said(/scrape/);
    const second = await run().ended;
    expect([second.code, second.stderr]).toEqual([4, expect.stringContaining(`process ${first.child.pid} `)]);
    expect((await first.ended).code).toBe(0);
  });

  test("Ctrl-C ends everything that was started, keeps what is done, and says how to go on", async () => {
    const first = run();
    await first.said("[1/10] analyze");
    first.child.kill("SIGINT");
    const { code, stderr } = await first.ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining("Go on with:")]);
    expect(processesOf(out)).toEqual([]);
    const second = await run().ended;
    expect(second.code).toBe(0);
    const done = /\[1\/10\] analyze +(\S+)/.exec(stderr)?.[1] ?? "";
    expect(second.stderr).not.toContain(`analyze  ${done}`);
  });

  test("Ctrl-C twice ends it at once, and leaves no process", async () => {
    const first = run();
    await first.said(/scrape/);
    first.child.kill("SIGINT");
    await first.said("once more");
    first.child.kill("SIGINT");
    expect((await first.ended).code).toBe(130);
    await expect.poll(() => processesOf(out), { timeout: 60_000 }).toEqual([]);
  });

  test("a redis-server that is killed ends it with a clear word; the same command goes on", async () => {
    const first = run();
    await first.said("[2/10] analyze");
    const server = processesOf(join(out, "redis")).find((pid) =>
      readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("redis"),
    );
    if (!server) throw new Error("no redis-server found");
    process.kill(server, "SIGKILL");
    const { code, stderr } = await first.ended;
    expect([code, stderr]).toEqual([5, expect.stringContaining("redis-server ended (SIGKILL)")]);
    expect((await run().ended).code).toBe(0);
  });

  test("with a Redis of one's own, a folder that was removed is made again", async () => {
    const redis = await startRedis();
    try {
      const args = ["--approve", "--redis", redis.url];
      expect((await run(args).ended).code).toBe(0);
      await rm(out, { recursive: true });
      const { code, stderr } = await run(args).ended;
      expect([code, stderr]).toEqual([0, expect.stringContaining("[10/10] analyze")]);
    } finally {
      await redis.stop();
    }
  });

  test("all sites down: it fails and says so; once they are up the same command succeeds", async () => {
    const closed = await startSampleSites();
    await closed.close();
    // Robots.txt cannot be asked for either: every site fails by itself.
    const quick = join(out, "quick.yaml");
    const text = await readFile(EXAMPLE, "utf8");
    await writeFile(quick, `${text}  retry:\n    limit: 0\n`);
    const args = (port: number): string[] => ["run", quick, "--out", out, "--approve", ...resolveTo(port)];
    const down = agentic(args(closed.port));
    commands.push(down);
    const { code, stderr } = await down.ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining("10 of 10 sites failed")]);
    const up = agentic(args(sites.port));
    commands.push(up);
    expect((await up.ended).code).toBe(0);
  });
});

describe("the gate", () => {
  test("waits, is seen and decided from another terminal, and the report names who", async () => {
    const command = run([]);
    const url = await command.said(/http:\/\/127\.0\.0\.1:\d+\/review\/\S+(?=\n)/);
    const status = agentic(["status", "market-analysis", "--out", out, "--output", "json"]);
    expect(JSON.parse((await status.ended).stdout)).toMatchObject({ phase: "AwaitingReview" });

    const cookie = (await fetch(url, { redirect: "manual" })).headers.get("set-cookie")?.split(";")[0] ?? "";
    const page = await fetch(url.replace(/\?.*/, ""), { headers: { cookie } });
    expect(await page.text()).toContain("Schichtplan");

    const wrong = await agentic(["approve", "market-analysis", "--out", out, "--digest", "0".repeat(64)]).ended;
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("findings have changed")]);
    const approve = await agentic(["approve", "market-analysis", "--out", out, "--comment", "Weigh the free tiers."])
      .ended;
    expect(approve.code).toBe(0);
    expect((await command.ended).code).toBe(0);
    const report = await agentic(["report", "market-analysis", "--out", out, "--output", "markdown"]).ended;
    expect(report.stdout).toContain("Weigh the free tiers");
  });

  test("a rejection ends the run, with no report", async () => {
    const command = run([]);
    await command.said("Waiting for the review");
    expect((await agentic(["reject", "market-analysis", "--out", out]).ended).code).toBe(0);
    const { code, stderr } = await command.ended;
    expect([code, stderr]).toEqual([3, expect.stringContaining("rejected the findings")]);
    expect((await agentic(["report", "market-analysis", "--out", out]).ended).code).toBe(1);
  });

  test("killed while it waits, and decided meanwhile: the same command goes straight to the report", async () => {
    const first = run([]);
    await first.said("Waiting for the review");
    first.child.kill("SIGKILL");
    await first.ended;
    expect((await agentic(["approve", "market-analysis", "--out", out]).ended).code).toBe(0);
    const { code, stderr } = await run([]).ended;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/^\[/m);
  });
});

describe("wrong input", () => {
  test.each<[string, readonly string[], number, RegExp]>([
    [
      "a workload with errors: all of them, each with its line",
      ["run", "crd/fixtures/invalid/all-at-once.yaml"],
      2,
      /:8:7 spec\.sites\[0\].*\n.*:9:7 spec\.sites\[1\].*\n.*:10:3 spec\.replicas/,
    ],
    ["a file that is not there", ["validate", "nowhere.yaml"], 2, /cannot read nowhere\.yaml/],
    ["an unknown option", ["run", "x.yaml", "--fast"], 2, /unknown option '--fast'/],
    ["a wrong --resolve", ["run", "x.yaml", "--resolve", "nonsense"], 2, /HOST=ADDRESS:PORT/],
    ["status without a run", ["status", "nothing-here"], 1, /no run in/],
    ["approve without a run", ["approve", "nothing-here"], 1, /no review waits/],
  ])("%s", async (_name, args, code, words) => {
    const ended = await agentic(args).ended;
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(words)]);
  });

  test("validate says that a good one is good, and doctor what is there", async () => {
    expect(
      await agentic(["validate", EXAMPLE.replace("market-analysis.yaml", "market-analysis-50.yaml")]).ended,
    ).toMatchObject({ code: 0 });
    const doctor = await agentic(["doctor", "--output", "json"]).ended;
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true });
  });
});
