import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Limits } from "../../functions/runs/deps.ts";
import { createApp } from "../../functions/runs/index.ts";
import { AUDIENCE, createReaders } from "../../functions/runs/readers.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { connectPermissions } from "../../lib/edges/kube-permissions.ts";
import { openStream, QUICK, running, startWorld, WAITING, type World } from "./runs-fixture.ts";

// The function runs: who signs in, what they see of others, and when they see it no longer.

/** Ann may read team-a, the administrator everything. */
const ANN = "token-of-ann";
const ADMIN = "token-of-admin";

let world: World;
let app: Hono;
let origin: string;
let server: Awaited<ReturnType<World["serve"]>>["server"];

async function start(limits: Partial<Limits> = {}): Promise<void> {
  const { feed, log, draining, kubeconfig } = world;
  const permissions = connectPermissions(kubeConfig({ file: kubeconfig }));
  app = createApp({
    feed,
    readerOfToken: createReaders(permissions, { allowedMs: 100, refusedMs: 100 }),
    now: () => new Date(),
    log,
    draining: draining.signal,
    limits: { ...QUICK, ...limits },
  });
  ({ origin, server } = await world.serve(app));
}

// Most of what is taken out of the code shows as a stream that does not end: not for minutes each.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(async () => {
  world = await startWorld();
  const { api } = world;
  api.tokens.set(ANN, { name: "ann", audiences: [AUDIENCE] });
  api.tokens.set(ADMIN, { name: "admin", audiences: [AUDIENCE, "kubernetes"] });
  for (const right of ["ann list team-a", "ann get team-a", "admin list *", "admin get *"]) api.rights.add(right);
  api.put({ namespace: "team-a", name: "mine" }, WAITING);
  api.put({ namespace: "team-b", name: "theirs" }, running(7));
});
afterEach(() => world.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const page = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${origin}${path}`, { headers: { accept: "text/html", ...headers }, redirect: "manual" });
const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${origin}${path}`, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { accept: "text/html", origin, ...headers },
    redirect: "manual",
  });
const refusals = () => world.said.flatMap(({ audit, "agentic.reason": reason }) => (audit === true ? [reason] : []));

describe("who gets in", () => {
  beforeEach(() => start());

  test("nobody without a token: a form for people, a sentence for programs", async () => {
    for (const path of ["/runs", "/runs/team-a/mine"]) {
      const answer = await page(path);
      expect(answer.status).toBe(401);
      const text = await answer.text();
      expect(text).toContain("kubectl create token NAME --namespace NAMESPACE --audience agentic-runs");
      expect(text).not.toContain("AwaitingReview");
    }
    const program = await page("/runs", { accept: "*/*" });
    expect([program.status, program.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await program.json()).toMatchObject({ reason: "Unauthenticated" });
    for (const path of ["/runs/events", "/runs/team-a/mine/events"]) expect((await page(path)).status).toBe(401);
    expect(refusals()).toEqual([]);
  });

  test.each([
    ["one that the API server does not know", "forged"],
    ["one for the API server, which could do more than read runs", "for-the-api"],
    ["one that is too long to be one", "x".repeat(9000)],
  ])("no token but one for these pages: %s", async (_, token) => {
    world.api.tokens.set("for-the-api", { name: "admin", audiences: ["kubernetes"] });
    world.api.tokens.set("x".repeat(9000), { name: "admin", audiences: [AUDIENCE] });
    expect((await page("/runs", bearer(token))).status).toBe(401);
    expect(refusals()).toEqual(["InvalidToken"]);
    const answer = await post("/runs/sign-in", { token, to: "/runs" });
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([401, null]);
    expect(await answer.text()).toContain("is none for these pages");
    expect(refusals()).toEqual(["InvalidToken", "InvalidToken"]);
  });

  test("signing in keeps the token in a cookie that no script, no other page and no plain connection gets", async () => {
    const answer = await post("/runs/sign-in", { token: ` ${ANN}\n`, to: "/runs/team-a/mine" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/runs/team-a/mine"]);
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toBe(`agentic-runs=${ANN}; Path=/runs; HttpOnly; SameSite=Strict`);
    const secure = await post(
      "/runs/sign-in",
      { token: ANN },
      { "x-forwarded-proto": "https", origin: origin.replace("http:", "https:") },
    );
    expect(secure.headers.get("set-cookie")).toContain("; Secure");
    const signedIn = { cookie: `agentic-runs=${ANN}` };
    expect((await page("/runs", signedIn)).status).toBe(200);
    const out = await post("/runs/sign-out", {}, signedIn);
    expect(out.headers.get("set-cookie")).toMatch(/^agentic-runs=; Max-Age=0; Path=\/runs/);
    expect(JSON.stringify(world.said)).not.toContain(ANN);
  });

  test.each(["//evil.example/x", "https://evil.example", "/runs//evil.example", "/runs/../x", "/other", "/runsx"])(
    "signing in leads to no page but ours: %s",
    async (to) => {
      const answer = await post("/runs/sign-in", { token: ANN, to });
      expect([answer.status, answer.headers.get("location")]).toEqual([303, "/runs"]);
    },
  );

  test("no other page signs anybody in or out, and a form has a limit of bytes", async () => {
    for (const path of ["/runs/sign-in", "/runs/sign-out"]) {
      const answer = await post(path, { token: ANN }, { origin: "https://evil.example" });
      expect([answer.status, answer.headers.get("set-cookie")]).toEqual([403, null]);
    }
    expect((await post("/runs/sign-in", { token: ANN, to: "x".repeat(20_000) })).status).toBe(401);
    expect(world.api.asked.filter((path) => path.endsWith("tokenreviews"))).toEqual([]);
  });

  test("a token that has expired is said to be so, and what cannot be asked is not permitted", async () => {
    world.api.tokens.delete(ANN);
    const answer = await page("/runs", { cookie: `agentic-runs=${ANN}` });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain("Your token has expired, was revoked, or is none for these pages.");
    world.api.away = true;
    expect((await page("/runs", bearer(ADMIN))).status).toBe(503);
  });

  test("pages are in no frame and no cache, and no other origin reads them", async () => {
    for (const answer of [
      await page("/runs"),
      await page("/runs", { ...bearer(ANN), origin: "https://evil.example" }),
    ]) {
      expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("nothing is written: no method but GET, and HEAD of a stream holds no place", async () => {
    for (const method of ["PUT", "POST", "DELETE", "PATCH"])
      expect(
        (await fetch(`${origin}/runs/team-a/mine`, { method, headers: { ...bearer(ADMIN), origin } })).status,
      ).toBe(404);
    const head = await fetch(`${origin}/runs/events`, { method: "HEAD", headers: bearer(ADMIN) });
    expect(head.status).toBe(405);
  });
});

describe("who sees what", () => {
  beforeEach(() => start());

  test("a reader of one namespace learns nothing of another: no name, no count", async () => {
    const text = await (await page("/runs", bearer(ANN))).text();
    expect(text).toContain("1 run, 1 not finished, 1 gate waits");
    expect(text).toContain("mine");
    expect(text).not.toMatch(/team-b|theirs|7\/50/);
    const there = await page("/runs/team-b/theirs", bearer(ANN));
    const nowhere = await page("/runs/team-b/nothing", bearer(ANN));
    expect([there.status, nowhere.status]).toEqual([404, 404]);
    expect(await there.text()).toBe((await nowhere.text()).replaceAll("nothing", "theirs"));
    const stream = await openStream(`${origin}/runs/team-b/theirs/events`, bearer(ANN));
    await stream.ended;
    expect(stream.raw()).not.toMatch(/7\/50/);
    expect(stream.events).toEqual(["gone"]);
    const all = await (await page("/runs", bearer(ADMIN))).text();
    expect(all).toContain("2 runs");
    expect(all).toContain("theirs");
  });

  test("nor by a stream, while things happen there", async () => {
    const stream = await openStream(`${origin}/runs/events`, bearer(ANN));
    await stream.until((text) => text.includes("mine"));
    const before = stream.updates.length;
    for (const done of [8, 9, 10]) {
      world.api.put({ namespace: "team-b", name: "theirs" }, running(done));
      world.api.put({ namespace: "team-b", name: `new-${done}` }, running(done));
      await sleep(60);
    }
    world.api.put({ namespace: "team-a", name: "mine" }, { ...WAITING, phase: "Suspended" });
    await stream.until((text) => text.includes("Suspended"));
    expect(stream.updates.length).toBe(before + 1);
    expect(stream.raw()).not.toMatch(/team-b|theirs|new-/);
    stream.close();
  });

  test("nor by the moments at which something is sent", async () => {
    await start({ recheckMs: 60_000 });
    const stream = await openStream(`${origin}/runs/events`, bearer(ANN));
    await stream.until((text) => text.includes("mine"));
    const before = stream.raw();
    world.api.put({ namespace: "team-b", name: "theirs" }, running(8));
    await sleep(300);
    expect(stream.raw()).toBe(before);
    stream.close();
  });

  test("a run's page links its trace", async () => {
    const text = await (await page("/runs/team-a/mine", bearer(ANN))).text();
    expect(text).toContain('href="https://traces.example/t/0af7651916cd43dd8448eb211c80319c?x=1"');
  });

  test("a token that is revoked ends its streams", async () => {
    const streams = await Promise.all(
      ["/runs/events", "/runs/team-a/mine/events"].map((path) => openStream(`${origin}${path}`, bearer(ANN))),
    );
    await Promise.all(streams.map((stream) => stream.until((text) => text.includes("Gate ask"))));
    world.api.tokens.delete(ANN);
    await Promise.all(streams.map(({ ended }) => ended));
    expect(streams.map(({ events }) => events)).toEqual([["gone"], ["gone"]]);
    expect(refusals()).toContain("NotAllowed");
  });

  test("a permission that is taken away ends a run's stream, and takes its runs off the list", async () => {
    const list = await openStream(`${origin}/runs/events`, bearer(ANN));
    const run = await openStream(`${origin}/runs/team-a/mine/events`, bearer(ANN));
    await list.until((text) => text.includes("mine"));
    world.api.rights.delete("ann list team-a");
    world.api.rights.delete("ann get team-a");
    await run.ended;
    await list.until((text) => text.includes("There are no runs in the namespaces that you may read."));
    expect([...list.shown().keys()]).toEqual(["summary"]);
    list.close();
  });

  test("a stream whose permission cannot be asked for ends", async () => {
    const stream = await openStream(`${origin}/runs/events`, bearer(ANN));
    await stream.until((text) => text.includes("mine"));
    world.api.away = true;
    await stream.ended;
    expect(stream.events).toEqual([]);
  });
});

describe("how much", () => {
  test("streams have a limit, for each reader and for all, and a place is free again when one closes", async () => {
    await start({ streams: 3, streamsOfReader: 2 });
    world.api.tokens.set("of-eve", { name: "eve", audiences: [AUDIENCE] });
    const open = (token: string) => openStream(`${origin}/runs/events`, bearer(token));
    const own = [await open(ANN), await open(ANN)];
    expect((await open(ANN)).status).toBe(503);
    const other = await open(ADMIN);
    expect(other.status).toBe(200);
    const full = await open("of-eve");
    expect([full.status, full.headers["retry-after"]]).toEqual([503, "10"]);
    expect(world.said).toContainEqual(expect.objectContaining({ reason: "TooManyStreams", msg: "stream refused" }));
    for (const stream of own) stream.close();
    await vi.waitFor(async () => {
      const again = await open("of-eve");
      again.close();
      expect(again.status).toBe(200);
    });
    other.close();
  });

  test("a stream is alive while nothing changes, and ends when its life is over", async () => {
    await start({ lifeMs: 700 });
    const stream = await openStream(`${origin}/runs/events`, bearer(ANN));
    await stream.ended;
    expect(stream.beats()).toBeGreaterThan(1);
    expect(stream.events).toEqual([]);
    expect(stream.updates.length).toBe(1);
  });

  test("changes that come together are sent together", async () => {
    await start({ gatherMs: 300 });
    const stream = await openStream(`${origin}/runs/events`, bearer(ADMIN));
    await stream.until((text) => text.includes("theirs"));
    for (let done = 8; done <= 40; done++) {
      world.api.put({ namespace: "team-b", name: "theirs" }, running(done));
      await sleep(5);
    }
    await stream.until((text) => text.includes("40/50"));
    expect(stream.updates.length).toBeLessThan(6);
    stream.close();
  });

  test("the list shows the newest hundred, and counts the rest", async () => {
    await start();
    for (let i = 0; i < 120; i++) world.api.put({ namespace: "team-a", name: `run-${i}` }, running(1));
    const text = await (await page("/runs", bearer(ANN))).text();
    expect(text).toContain("121 runs, 121 not finished, 1 gate waits for a decision. The newest 100 are shown.");
    expect(text.match(/<article/g)?.length).toBe(100);
  });

  /** A list of many, each of which says something else in each round. */
  const sayMuch = (round: number): void => {
    const at = "2026-11-30T10:12:00Z";
    const message = `${"m".repeat(500)} round ${round}.`;
    const conditions = [{ type: "Ready", status: "False", reason: "Broken", message, lastTransitionTime: at }];
    for (let i = 0; i < 100; i++)
      world.api.put({ namespace: "team-a", name: `run-${i}` }, { ...running(1), conditions });
  };

  test("a client that does not read is sent nothing more, and what is newest when it does", async () => {
    await start({ gatherMs: 1 });
    sayMuch(0);
    const response = await app.request("/runs/events", { headers: bearer(ANN) });
    for (let round = 1; round <= 25; round++) {
      sayMuch(round);
      await sleep(40);
    }
    let text = "";
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    while (!text.includes("round 25.")) text += decoder.decode((await reader?.read())?.value, { stream: true });
    expect(text.match(/^data:/gm)?.length).toBeLessThan(12);
    await reader?.cancel();
  });

  test("a client that does not read loses its connection when its stream ends", async () => {
    await start({ lifeMs: 1500, gatherMs: 1 });
    sayMuch(0);
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    socket.write(`GET /runs/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ANN}\r\n\r\n`);
    for (let round = 1; round <= 100; round++) {
      sayMuch(round);
      await sleep(15);
    }
    await vi.waitFor(async () => {
      const count = await new Promise<number>((resolve) => server.getConnections((_, all) => resolve(all)));
      expect(count).toBe(0);
    }, 10_000);
    socket.destroy();
  });
});

test("a process that drains ends its streams at once", async () => {
  await start();
  const streams = await Promise.all([1, 2, 3].map(() => openStream(`${origin}/runs/events`, bearer(ANN))));
  await Promise.all(streams.map((stream) => stream.until((text) => text.includes("mine"))));
  // A client that would use its connection again.
  const kept = (await fetch(`${origin}/runs/events`, { headers: bearer(ADMIN) })).text();
  const began = Date.now();
  world.draining.abort();
  const closed = new Promise((resolve) => server.close(resolve));
  await Promise.all(streams.map(({ ended }) => ended));
  await kept;
  await closed;
  expect(Date.now() - began).toBeLessThan(1500);
  expect(streams.map(({ events }) => events)).toEqual([[], [], []]);
});
