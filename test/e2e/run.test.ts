import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { findingsSchema } from "../../engine/findings.ts";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
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
function run(args: readonly string[] = ["--approve"], port = sites.port, file = EXAMPLE): Command {
  const command = agentic(["run", file, "--out", out, ...resolveTo(port), ...args]);
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

async function chainOfEvidence(): Promise<readonly { readonly entry: Readonly<Record<string, unknown>> }[]> {
  const { payload } = JSON.parse(await readFile(join(out, "evidence.json"), "utf8"));
  return JSON.parse(Buffer.from(payload, "base64url").toString("utf8")).predicate.chain;
}

describe("agentic run", () => {
  test("takes the ten sites to a report that says what they say", async () => {
    const { code, stdout, stderr } = await run(["--approve", "--output", "json"]).ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining("[15/15] analyze-pages")]);
    const state = JSON.parse(stdout) as { outputs: Record<string, string> };
    expect(state).toMatchObject({
      phase: "Succeeded",
      pipeline: "agentic-system/market-analysis",
      items: { total: 15, done: 15, failed: 0 },
      steps: [
        { name: "scrape", total: 10, succeeded: 10 },
        { name: "analyze", total: 10, succeeded: 10 },
        { name: "scrape-pages", total: 5, succeeded: 5 },
        { name: "analyze-pages", total: 5, succeeded: 5 },
        { name: "review", total: 1, succeeded: 1 },
        { name: "report", total: 1, succeeded: 1 },
      ],
      reviews: [{ gate: "review", decision: "approved", how: "Setting", automatic: true, by: "agentic run --approve" }],
    });
    const files = {
      ...{ html: "report.html", markdown: "report.md", json: "report.json", pdf: "report.pdf" },
      ...{ xlsx: "report.xlsx", pptx: "report.pptx", claims: "claims.csv", offers: "offers.csv" },
    };
    expect(state.outputs).toEqual(
      Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(out, file)])),
    );
    const kinds = {
      html: "<!doctype html>",
      markdown: "# How should",
      json: "{",
      pdf: "%PDF",
      xlsx: "PK",
      pptx: "PK",
      claims: "Claim,Site",
    };
    for (const [format, start] of Object.entries(kinds))
      expect((await readFile(state.outputs[format] ?? "", "latin1")).slice(0, 20).toLowerCase()).toContain(
        start.toLowerCase(),
      );

    const open = readdirSync(out, { recursive: true, encoding: "utf8" }).filter(
      (name) => (statSync(join(out, name)).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);

    const reviews = join(out, "reviews", "default_market-analysis");
    const review = JSON.parse(await readFile(join(reviews, "review.json"), "utf8")) as { findings: string };
    const findings = await artifact(review.findings, findingsSchema);
    for (const one of truth) {
      const result = findings.results.find(({ item }) => item === one.site);
      const found = await artifact(result?.artifacts["analysis"] ?? "", analysisSchema);
      expect(found.name).toBe(one.name);
      expect(found.positioning?.value).toBe(one.positioning);
      expect(found.offers.map(({ name, price }) => ({ name, price }))).toEqual(one.offers);
      expect(found.callsToAction.map(({ text }) => text)).toEqual(expect.arrayContaining(one.callsToAction));
      for (const proof of one.proof) expect(JSON.stringify(found.proof)).toContain(proof);
    }
    // Those that scrape found by links and by a sitemap, without what robots.txt keeps from us: the first of each site, then the second.
    const further = findings.results.filter(({ step }) => step === "analyze-pages");
    const pages = [0, 1].flatMap((rank) =>
      truth.flatMap(({ site, pages: of }) => of.slice(rank, rank + 1).map((page) => ({ site, ...page }))),
    );
    expect(further.map(({ item }) => item)).toEqual(pages.map(({ site, url, kind }) => ({ site, url, kind })));
    for (const [at, { site, url, kind, offers }] of pages.entries()) {
      const found = await artifact(further[at]?.artifacts["analysis"] ?? "", analysisSchema);
      expect(found).toMatchObject({ site, page: { url, kind } });
      expect(found.offers.map(({ name, price }) => ({ name, price }))).toEqual(offers);
    }
    const html = await readFile(state.outputs["html"] ?? "", "utf8");
    expect(html).toContain("fonts.thirdparty.example");
    expect(processesOf(out)).toEqual([]);

    const verify = (...files: string[]) =>
      agentic(["verify", join(out, "evidence.json"), ...files, "--key", join(out, "signing-key.pem")]).ended;
    expect(await verify(...Object.values(state.outputs))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("gate review: approved by agentic run --approve (Setting, automatic)"),
    });
    const scraped = (await chainOfEvidence()).filter(({ entry }) => entry["step"] === "scrape");
    expect(scraped.map(({ entry }) => entry["egress"])).toEqual(
      truth.map(({ site }) =>
        expect.objectContaining({
          hosts: expect.arrayContaining([expect.objectContaining({ host: new URL(site).host })]),
        }),
      ),
    );
    await writeFile(join(out, "changed.html"), html.replace("</html>", " </html>"));
    expect(await verify(join(out, "changed.html"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("it is no output of this run, or was changed since"),
    });

    const again = await run().ended;
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("Already done")]);
  });

  test("killed -9 again and again, it continues and repeats no finished step", async () => {
    const before = new Map(truth.map(({ site }) => [site, hitsOf(site)]));
    const finished = new Set<string>();
    // A kill counts as a start of each step in flight.
    const patient = join(out, "patient.yaml");
    await writeFile(patient, `${await readFile(EXAMPLE, "utf8")}  retry:\n    limit: 20\n`);
    let kills = 0;
    for (;;) {
      const command = run(["--approve"], sites.port, patient);
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
      items: { done: 15 },
    });
  });

  test("two at once: one works, the other says who", async () => {
    const first = run();
    await first.said(/scrape/);
    const second = await run().ended;
    expect([second.code, second.stderr]).toEqual([4, expect.stringContaining(`process ${first.child.pid} `)]);
    expect((await first.ended).code).toBe(0);
  });

  test("Ctrl-C ends everything that was started, keeps what is done, and says how to continue", async () => {
    const first = run();
    await first.said("[1/10] analyze");
    first.child.kill("SIGINT");
    const { code, stderr } = await first.ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining("Continue with:")]);
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

  test("a redis-server that is killed ends it with a clear word; the same command continues", async () => {
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
      expect([code, stderr]).toEqual([0, expect.stringContaining("[15/15] analyze")]);
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
    expect([code, stderr]).toEqual([1, expect.stringContaining("10 of 10 items failed")]);
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
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("other findings")]);
    const approve = await agentic(["approve", "market-analysis", "--out", out, "--comment", "Weigh the free tiers."])
      .ended;
    expect(approve.code).toBe(0);
    expect((await command.ended).code).toBe(0);
    const outputs = await agentic(["outputs", "market-analysis", "--out", out, "--output", "json"]).ended;
    const { markdown } = JSON.parse(outputs.stdout) as { markdown: string };
    expect(await readFile(markdown, "utf8")).toContain("Weigh the free tiers");
    expect(JSON.parse(await readFile(join(out, "run.json"), "utf8"))).toMatchObject({
      reviews: [{ decision: "approved", how: "CommandLine", automatic: false, comment: "Weigh the free tiers." }],
    });
  });

  test("a rejection ends the run, without outputs", async () => {
    const command = run([]);
    await command.said("waits for a review");
    expect((await agentic(["reject", "market-analysis", "--out", out]).ended).code).toBe(0);
    const { code, stderr } = await command.ended;
    expect([code, stderr]).toEqual([3, expect.stringContaining("rejected gate review")]);
    expect((await agentic(["outputs", "market-analysis", "--out", out]).ended).code).toBe(1);
  });

  test("changes are asked for: the analyses are done again, the captures are not, and the gate waits again, also after a kill", async () => {
    const digest = async (): Promise<string> =>
      (JSON.parse(await readFile(join(out, "run.json"), "utf8")) as { reviews: { digest: string }[] }).reviews[0]
        ?.digest ?? "";
    const first = run([]);
    await first.said("waits for a review");
    const seen = await digest();
    const wrong = await agentic(["changes", "market-analysis", "--out", out, "--comment", "Again.", "--step", "report"])
      .ended;
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining("changes can be asked of the steps scrape, analyze"),
    ]);
    expect((await agentic(["changes", "market-analysis", "--out", out]).ended).code).toBe(2);
    const changes = await agentic(["changes", "market-analysis", "--out", out, "--comment", "Look at yearly prices."])
      .ended;
    expect([changes.code, changes.stdout]).toEqual([0, expect.stringContaining("gate review changes requested by")]);
    await first.said(/(waits for a review[\s\S]*){2}\n/);
    expect(await digest()).not.toBe(seen);
    first.child.kill("SIGKILL");
    const { stderr } = await first.ended;
    const count = (step: string): number => stderr.split("\n").filter((line) => line.includes(` ${step} `)).length;
    expect([count("scrape"), count("analyze")]).toEqual([truth.length, 2 * truth.length]);

    const second = run([]);
    const again = await second.said(/http:\/\/127\.0\.0\.1:\d+\/review\/\S+(?=\n)/);
    const cookie = (await fetch(again, { redirect: "manual" })).headers.get("set-cookie")?.split(";")[0] ?? "";
    const page = await (await fetch(again.replace(/\?.*/, ""), { headers: { cookie } })).text();
    expect(page).toContain("Changes requested before");
    expect(page).toContain("Look at yearly prices.");
    expect((await agentic(["approve", "market-analysis", "--out", out]).ended).code).toBe(0);
    expect((await second.ended).code).toBe(0);
  });

  test("killed while it waits, and decided meanwhile: the same command goes straight to the report", async () => {
    const first = run([]);
    await first.said("waits for a review");
    first.child.kill("SIGKILL");
    await first.ended;
    expect((await agentic(["approve", "market-analysis", "--out", out]).ended).code).toBe(0);
    const { code, stderr } = await run([]).ended;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/^\[/m);
  });
});

describe("what earlier commands left", () => {
  test("an empty state file is told of, and the run continues from what its steps recorded", async () => {
    expect((await run().ended).code).toBe(0);
    await writeFile(join(out, "run.json"), "");
    const status = await agentic(["status", "market-analysis", "--out", out]).ended;
    expect([status.code, status.stderr]).toEqual([1, expect.stringContaining("run.json cannot be read (it is empty)")]);
    const again = await run().ended;
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("the run continues")]);
    expect(again.stderr).not.toMatch(/ (scrape|analyze|report)(-pages)? /);
  });

  test("Redis that was wiped loses nothing that was finished, whenever that happens", async () => {
    for (const seen of ["[0/10] scrape", "[3/10] analyze", "[15/15] analyze"]) {
      const command = run();
      const had = command.said(seen);
      await Promise.race([had, command.ended]);
      command.child.kill("SIGKILL");
      await command.ended;
      await endServers(out);
      await rm(join(out, "redis"), { recursive: true, force: true });
    }
    const { code, stderr } = await run().ended;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/ (scrape|analyze)(-pages)? /);
  });

  test("a finished run that is older than its ttlAfterFinished is removed, and done again", async () => {
    const file = join(out, "short.yaml");
    await writeFile(file, `${await readFile(EXAMPLE, "utf8")}  ttlAfterFinished: 1ms\n`);
    const args = ["run", file, "--out", out, "--approve", ...resolveTo(sites.port)];
    expect((await agentic(args).ended).code).toBe(0);
    const before = sites.hits.get("www.rosterly.example/") ?? 0;
    const again = await agentic(args).ended;
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("older than spec.ttlAfterFinished (1ms)")]);
    expect(sites.hits.get("www.rosterly.example/")).toBeGreaterThan(before);
  });
});

describe("wrong input", () => {
  const WRONG = `apiVersion: agentic.dev/v1alpha1
kind: AgentWorkload
metadata: { name: wrong }
spec:
  pipelin: market-analysis
  inputs: { objective: who, sites: [] }
  replicas: 0
`;
  const CASES: [string, readonly string[], number, RegExp][] = [
    [
      "a workload with errors: all of them, each with its line",
      ["run", "WRONG"],
      2,
      /:5:3 spec\.pipelin is not .*pipeline\?\n.*:7:3 spec\.replicas/,
    ],
    ["inputs that do not match", ["run", "INPUTS"], 2, /:6:29 spec\.inputs\.sites must NOT have fewer than 1 items/],
    [
      "no workload among the files",
      ["run", "pipelines/market-analysis/agents.yaml"],
      2,
      /expected one AgentWorkload.*Agent agentic-system\/scrape/s,
    ],
    [
      "a workload with a wrong field and wrong inputs: both",
      ["validate", "BOTH"],
      2,
      /:6:37 spec\.inputs\.sites\[0\] 10\.0\.0\.7 is a private address.*\n.*:7:3 spec\.replicas/,
    ],
    ["a file that is not there", ["validate", "nowhere.yaml"], 2, /nowhere\.yaml:1:1 cannot be read/],
    ["an unknown option", ["run", "x.yaml", "--fast"], 2, /unknown option '--fast'/],
    ["a wrong --resolve", ["run", "x.yaml", "--resolve", "nonsense"], 2, /HOST=ADDRESS:PORT/],
    ["a wrong --agent", ["run", "x.yaml", "--agent", "audit"], 2, /expected NAME=URL/],
    ["status without a run", ["status", "nothing-here"], 1, /there is no run in/],
    ["approve without a run", ["approve", "nothing-here"], 1, /no review to decide.*there is no run/],
    ["outputs without a run", ["outputs", "nothing-here"], 1, /no outputs in .*there is no run/],
    [
      "a pipeline that is none",
      ["explain", "nothing-here"],
      2,
      /neither a pipeline that ships \(market-analysis\) nor a file/,
    ],
  ];
  test.each(CASES)("%s", async (_name, args, code, words) => {
    await writeFile(join(out, "WRONG"), WRONG);
    const both = WRONG.replace("pipelin:", "pipeline:").replace("sites: []", 'sites: ["http://10.0.0.7/"]');
    await writeFile(join(out, "BOTH"), both);
    await writeFile(join(out, "INPUTS"), WRONG.replace("pipelin:", "pipeline:").replace("  replicas: 0\n", ""));
    const ended = await agentic(args.map((arg) => (/^[A-Z]+$/.test(arg) ? join(out, arg) : arg))).ended;
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(words)]);
  });

  test("a workload that is suspended starts nothing, and says so", async () => {
    const file = join(out, "suspended.yaml");
    await writeFile(file, `${await readFile(EXAMPLE, "utf8")}  suspend: true\n`);
    const { code, stderr } = await agentic(["run", file, "--out", out]).ended;
    expect([code, stderr]).toEqual([4, expect.stringMatching(/suspended \(spec\.suspend: true\): nothing is started/)]);
    expect(existsSync(join(out, "run.json"))).toBe(false);
  });

  test("validate says that a good one is good, and doctor what is there", async () => {
    const files = [
      EXAMPLE,
      EXAMPLE.replace("market-analysis.yaml", "market-analysis-50.yaml"),
      "pipelines/market-analysis/agents.yaml",
    ];
    expect(await agentic(["validate", ...files]).ended).toMatchObject({ code: 0 });
    const doctor = await agentic(["doctor", "--output", "json"]).ended;
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true });
  });
});
