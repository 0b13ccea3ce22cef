import { pino } from "pino";
import { describe, expect, test, vi } from "vitest";
import { createFeed } from "../../../functions/runs/feed.ts";
import { keyOf, readRun } from "../../../functions/runs/run.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import type { Follower } from "../../../lib/edges/kube-watch.ts";
import { RetryableError } from "../../../lib/errors.ts";

const object = (name: string, status: object = {}): KubeObject => ({
  metadata: {
    namespace: "a",
    name,
    uid: name,
    resourceVersion: "1",
    creationTimestamp: "2026-11-30T10:00:00Z",
    finalizers: [],
    labels: {},
    annotations: {},
  },
  spec: {},
  status,
});

/** A feed of which the test is the API server: each round waits for what it does. */
function given() {
  const rounds: { tell: Follower<unknown>; end: (error?: Error) => void; signal: AbortSignal }[] = [];
  const draining = new AbortController();
  const feed = createFeed(
    {
      follow: (tell, signal) =>
        new Promise((resolve, reject) => {
          const end = (error?: Error): void => (error ? reject(error) : resolve());
          signal.addEventListener("abort", () => resolve());
          rounds.push({ tell: tell as Follower<unknown>, end, signal });
        }),
      now: () => new Date("2026-11-30T12:00:00Z"),
      log: pino({ level: "silent" }),
      draining: draining.signal,
    },
    { lingerMs: 30, pauseMs: 5 },
  );
  const list = (round: number, ...names: string[]) => {
    const { tell } = rounds[round] ?? {};
    tell?.listed(names.map((name) => tell.read(object(name))));
  };
  return { feed, rounds, draining, list };
}

describe("a feed", () => {
  test("is one watch for all who look, and ends a little after the last", async () => {
    const { feed, rounds, list } = given();
    const looking = [feed.look(), feed.look()];
    list(0, "x");
    const [one, other] = await Promise.all(looking);
    expect([...(one?.runs().keys() ?? [])]).toEqual(["a/x"]);
    expect(rounds.length).toBe(1);
    one?.close();
    one?.close();
    const again = await feed.look();
    other?.close();
    again.close();
    await vi.waitFor(() => expect(rounds[0]?.signal.aborted).toBe(true));
    const later = feed.look();
    expect(rounds.length).toBe(2);
    list(1, "y");
    expect([...(await later).runs().keys()]).toEqual(["a/y"]);
  });

  test("that somebody comes back to in time goes on", async () => {
    const { feed, rounds, list } = given();
    const first = feed.look();
    list(0, "x");
    (await first).close();
    const second = await feed.look();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([rounds.length, rounds[0]?.signal.aborted]).toEqual([1, false]);
    second.close();
  });

  test("keeps what it has while the API server is away, says since when, and lists anew", async () => {
    const { feed, rounds, list } = given();
    let told = 0;
    const looking = feed.look(() => told++);
    list(0, "x");
    const viewer = await looking;
    rounds[0]?.end(new RetryableError("ApiUnavailable", "away"));
    await vi.waitFor(() => expect(viewer.staleSince()).toEqual(new Date("2026-11-30T12:00:00Z")));
    expect(viewer.runs().size).toBe(1);
    await vi.waitFor(() => expect(rounds.length).toBe(2));
    list(1);
    expect([viewer.staleSince(), viewer.runs().size, told]).toEqual([undefined, 0, 3]);
    viewer.close();
  });

  test("that could not begin says why, and each who looks later waits for a new answer", async () => {
    const { feed, rounds, list } = given();
    const looking = feed.look();
    rounds[0]?.end(new RetryableError("ApiUnavailable", "away"));
    await expect(looking).rejects.toThrow("away");
    const later = feed.look();
    await vi.waitFor(() => expect(rounds.length).toBe(2));
    list(1, "x");
    expect((await later).runs().size).toBe(1);
  });

  test("of a process that drains ends", async () => {
    const { feed, rounds, draining } = given();
    const looking = feed.look();
    draining.abort();
    await expect(looking).rejects.toThrow("try again");
    expect(rounds[0]?.signal.aborted).toBe(true);
  });
});

test("of a run the pages keep its status, not its spec; one of another version hides nothing else", () => {
  const run = readRun(object("x", { phase: "Running", earlierReviews: [], fromLater: 1 }));
  expect([keyOf(run.metadata), run.status, run.unreadable]).toEqual(["a/x", { phase: "Running" }, false]);
  expect(readRun(object("x", { phase: "Dreaming" }))).toMatchObject({ status: {}, unreadable: true });
});
