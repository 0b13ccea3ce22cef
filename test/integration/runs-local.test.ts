import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createRunsApp } from "../../cli/kubectl/runs-page.ts";
import { openStream, running, startWorld, step, WAITING, type World } from "./runs-fixture.ts";

// The pages of runs as `kubectl agentic watch --open` serves them, over what a kubeconfig reads.

// What is taken out of the code often shows as something that never comes: not for minutes each.
vi.setConfig({ testTimeout: 30_000 });

let world: World;
let origin: string;
let base: string;

beforeEach(async () => {
  world = await startWorld();
  const { feed, log, draining } = world;
  const failures = async () => [{ step: "read", item: "https://a.example/", why: "Timeout: <b>no</b> answer" }];
  const made = createRunsApp({ feed, failures, now: () => new Date(), log, draining: draining.signal });
  ({ base } = made);
  ({ origin } = await world.serve(made.app));
});
afterEach(() => world.close());

const page = (path = "", headers: Record<string, string> = {}) => fetch(`${origin}${base}${path}`, { headers });

test("the list and a run's page say how far runs are, what they cost, what waits and why items failed", async () => {
  world.api.put({ namespace: "team-a", name: "asked" }, WAITING);
  for (const name of ["r1", "r2", "r3", "r4"]) world.api.put({ namespace: "team-b", name }, running(7));
  const list = await (await page()).text();
  expect(list).toContain("5 runs, 5 not finished, 1 gate waits for a decision.");
  expect(list).toMatch(/Awaiting review<\/span> 11\/12 items, 1 failed · \$0\.0421/);
  expect(list).toContain(`href="${base}/team-b/r4"`);
  const run = await (await page("/team-a/asked")).text();
  expect(run).toContain("kubectl agentic approve asked -n team-a --gate ask");
  expect(run).toContain('since <time datetime="2026-11-30T10:12:00Z">2026-11-30 10:12 UTC</time>');
  expect(run).toContain("https://a.example/: Timeout: &lt;b&gt;no&lt;/b&gt; answer");
  expect(run).toContain("0af7651916cd43dd8448eb211c80319c");
  expect((await page("/team-a/nothing")).status).toBe(404);
});

test("nobody gets there without the address, and by no name that leads here", async () => {
  expect((await fetch(`${origin}/`)).status).toBe(404);
  expect((await fetch(`${origin}/${"x".repeat(43)}`)).status).toBe(404);
  expect((await page()).status).toBe(200);
  const port = new URL(origin).port;
  for (const host of [`evil.example:${port}`, `localhost:${port}`, `127.0.0.1.evil.example:${port}`]) {
    const stream = await openStream(`${origin}${base}/events`, { host });
    expect([host, stream.status]).toEqual([host, 421]);
    stream.close();
  }
});

test("no other page frames it, reads it or runs a script on it, and no cache keeps it", async () => {
  const { headers } = await page("", { origin: "https://evil.example" });
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toMatch(/script-src 'sha256-[^']+'(;|$)/);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(headers.get("access-control-allow-origin")).toBeNull();
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("x-frame-options")).toBeTruthy();
});

describe("a stream", () => {
  test("tells what has changed and nothing else, and what has gone", async () => {
    world.api.put({ namespace: "team-a", name: "one" }, running(1));
    world.api.put({ namespace: "team-a", name: "two" }, running(2));
    const stream = await openStream(`${origin}${base}/events`);
    await stream.until((text) => text.includes("1/50"));
    expect(stream.headers["content-type"]).toBe("text/event-stream");
    world.api.put({ namespace: "team-a", name: "one" }, running(9));
    await stream.until((text) => text.includes("9/50"));
    expect(Object.keys(stream.updates.at(-1)?.changed ?? {})).toEqual(["run-uid-team-a-one"]);
    world.api.put({ namespace: "team-b", name: "new" }, running(3), { createdAt: "2026-11-30T11:00:00Z" });
    await stream.until((text) => text.includes("3/50"));
    expect(stream.updates.at(-1)?.order[1]).toBe("run-uid-team-b-new");
    world.api.remove({ namespace: "team-a", name: "two" });
    await stream.until((text) => text.startsWith('<div id="summary"><p>2 runs'));
    expect([...stream.shown().keys()]).toEqual(["summary", "run-uid-team-b-new", "run-uid-team-a-one"]);
    stream.close();
  });

  test("of a run ends when the run is deleted, with word of it", async () => {
    world.api.put({ namespace: "team-a", name: "one" }, running(1));
    const stream = await openStream(`${origin}${base}/team-a/one/events`);
    await stream.until((text) => text.includes("1/50"));
    world.api.remove({ namespace: "team-a", name: "one" });
    await stream.ended;
    expect(stream.events).toEqual(["gone"]);
  });

  test("goes on when the API server has forgotten what there was, ends a watch, or is away for a while", async () => {
    world.api.put({ namespace: "team-a", name: "one" }, running(1));
    const stream = await openStream(`${origin}${base}/events`);
    await stream.until((text) => text.includes("1/50"));
    world.api.compact();
    world.api.put({ namespace: "team-a", name: "one" }, running(2));
    await stream.until((text) => text.includes("2/50"));
    expect(world.said).toEqual([]);
    world.api.away = true;
    await stream.until((text) => text.includes("The API server does not answer. This is the state of"));
    world.api.put({ namespace: "team-a", name: "one" }, running(3));
    world.api.away = false;
    await stream.until((text) => text.includes("3/50") && !text.includes("does not answer"));
    stream.close();
  });
});

test("an API server that does not answer at first is a page that says so", async () => {
  world.api.away = true;
  const answer = await page();
  expect([answer.status, answer.headers.has("retry-after")]).toEqual([503, true]);
  expect(await answer.text()).toContain("the Kubernetes API: away");
});

test("nobody who looks, nothing asked: the watch ends behind the last", async () => {
  world.api.put({ namespace: "team-a", name: "one" }, running(1));
  const streams = await Promise.all([1, 2, 3].map(() => openStream(`${origin}${base}/events`)));
  await Promise.all(streams.map((stream) => stream.until((text) => text.includes("1/50"))));
  await vi.waitFor(() => expect(world.api.watches()).toBe(1));
  for (const stream of streams) stream.close();
  await vi.waitFor(() => expect(world.api.watches()).toBe(0), 5000);
  await page();
  await vi.waitFor(() => expect(world.api.watches()).toBe(1));
  await vi.waitFor(() => expect(world.api.watches()).toBe(0), 5000);
  const asked = world.api.asked.length;
  await sleep(500);
  expect(world.api.asked.length).toBe(asked);
});

test("what a workload says is text, and a status of another version is said to be one", async () => {
  const nasty = '"><script>alert(1)</script>';
  world.api.put(
    { namespace: "team-a", name: "nasty" },
    {
      ...WAITING,
      pipeline: nasty,
      trace: nasty,
      steps: [step(nasty)],
      outputs: { [nasty]: nasty },
      conditions: [
        { type: "Ready", status: "False", reason: nasty, message: nasty, lastTransitionTime: "2026-11-30T10:12:00Z" },
      ],
    },
  );
  world.api.put({ namespace: "team-a", name: "later" }, { phase: "Dreaming" });
  for (const path of ["", "/team-a/nasty"]) {
    const text = await (await page(path)).text();
    expect(text).toContain("&lt;script&gt;alert(1)");
    expect(text).not.toContain("<script>alert");
  }
  expect(await (await page("/team-a/later")).text()).toContain("The status of this workload is of another version");
});
