import { pino } from "pino";
import { expect, test } from "vitest";
import { remove } from "../../functions/setup/remove.ts";
import type { KindClient, KubeObject } from "../../lib/edges/kube.ts";

const log = pino({ level: "silent" });

/** What went, in its order. Objects go `after` the look that many looks later; never where that is undefined. */
function cluster(
  there: Readonly<Record<string, readonly string[]>>,
  goes: (id: string) => number | undefined = () => 1,
) {
  const events: string[] = [];
  const client = (kind: string): KindClient => {
    const left = new Map((there[kind] ?? []).map((name) => [name, undefined as number | undefined]));
    const of = (name: string) => ({ metadata: { name } }) as KubeObject;
    return {
      async list({ labelSelector }: { labelSelector?: string }) {
        return [...left.keys()].filter((name) => !labelSelector || !name.startsWith("own-")).map(of);
      },
      async remove({ name }: { name: string }) {
        if (!left.has(name)) return "gone";
        events.push(`remove ${kind}/${name}`);
        left.set(name, goes(`${kind}/${name}`) ?? Number.POSITIVE_INFINITY);
        return "written";
      },
      async get({ name }: { name: string }) {
        const looks = left.get(name);
        if (looks === undefined) return left.has(name) ? of(name) : undefined;
        if (looks > 0) {
          left.set(name, looks - 1);
          return of(name);
        }
        left.delete(name);
        events.push(`gone ${kind}/${name}`);
        return undefined;
      },
    } as unknown as KindClient;
  };
  return { events, kube: { agents: client("agents"), services: client("services"), triggers: client("triggers") } };
}

test("Agents of the release go while reconcile is there, Triggers after it, one after the other", async () => {
  const { events, kube } = cluster({
    agents: ["scrape", "report", "own-agent"],
    services: ["reconcile"],
    triggers: ["a", "b"],
  });
  await remove({ kube, log });
  expect(events).toEqual([
    "remove agents/scrape",
    "remove agents/report",
    "gone agents/scrape",
    "gone agents/report",
    "remove services/reconcile",
    "gone services/reconcile",
    "remove triggers/a",
    "gone triggers/a",
    "remove triggers/b",
    "gone triggers/b",
  ]);
});

test("what somebody has removed already is no trouble", async () => {
  const { events, kube } = cluster({});
  await remove({ kube, log });
  expect(events).toEqual([]);
});

test("what does not go is said, and nothing after it is touched", async () => {
  const { events, kube } = cluster({ agents: ["scrape"], services: ["reconcile"], triggers: ["a"] }, () => undefined);
  await expect(remove({ kube, log, patienceMs: 500 })).rejects.toThrow("the Agent scrape does not go");
  expect(events).toEqual(["remove agents/scrape"]);
});
