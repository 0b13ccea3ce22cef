import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { AUDIENCE, createReaders } from "../../../functions/runs/readers.ts";
import type { Attributes, KubeUser, Permissions } from "../../../lib/edges/kube-permissions.ts";
import { RetryableError } from "../../../lib/errors.ts";

const ANN: KubeUser = { name: "ann", uid: undefined, groups: ["readers"], extra: {} };

/** An API server that knows Ann, and counts what it is asked. */
function given(rights: Set<string>, over: Partial<Permissions> = {}) {
  const asked: string[] = [];
  const permissions: Permissions = {
    async whoIs(token, audience) {
      asked.push(`who ${token} ${audience}`);
      return token === "ann" ? ANN : undefined;
    },
    async mayWorkloads(_, { verb, namespace = "*", name = "*" }: Attributes) {
      asked.push(`${verb} ${namespace}/${name}`);
      return rights.has(`${verb} ${namespace}`);
    },
    ...over,
  };
  return { asked, readerOf: createReaders(permissions, { allowedMs: 60, refusedMs: 400 }) };
}

describe("a reader", () => {
  test("of all namespaces is asked about once, of some about each", async () => {
    const all = given(new Set(["list *"]));
    const names = new Set(["a", "b", "c"]);
    expect(await (await all.readerOf("ann"))?.mayList(names)).toEqual(names);
    expect(all.asked).toEqual([`who ann ${AUDIENCE}`, "list */*"]);
    const some = given(new Set(["list b"]));
    expect(await (await some.readerOf("ann"))?.mayList(names)).toEqual(new Set(["b"]));
    expect(some.asked.slice(1)).toEqual(["list */*", "list a/*", "list b/*", "list c/*"]);
  });

  test("may read one run by the right to get it", async () => {
    const { readerOf } = given(new Set(["get a"]));
    const ann = await readerOf("ann");
    expect(await ann?.mayRead({ namespace: "a", name: "x" })).toBe(true);
    expect(await ann?.mayRead({ namespace: "b", name: "x" })).toBe(false);
  });

  test("who lost a right is refused as soon as what was allowed is forgotten, and gets a new one later", async () => {
    const rights = new Set(["get a"]);
    const { readerOf } = given(rights);
    const may = async (namespace: string) => (await readerOf("ann"))?.mayRead({ namespace, name: "x" });
    expect([await may("a"), await may("b")]).toEqual([true, false]);
    rights.delete("get a");
    rights.add("get b");
    await sleep(100);
    expect([await may("a"), await may("b")]).toEqual([false, false]);
    await sleep(450);
    expect([await may("a"), await may("b")]).toEqual([false, true]);
  });

  test("with one token in many requests is asked about once", async () => {
    const { readerOf, asked } = given(new Set());
    const all = await Promise.all(Array.from({ length: 50 }, () => readerOf("ann")));
    expect([all.every((one) => one?.name === "ann"), asked.length]).toEqual([true, 1]);
  });

  test("whom nobody could be asked about is asked about again", async () => {
    let isAway = true;
    const { readerOf } = given(new Set(), {
      whoIs: async () => {
        if (isAway) throw new RetryableError("ApiUnavailable", "away");
        return ANN;
      },
    });
    await expect(readerOf("ann")).rejects.toThrow("away");
    isAway = false;
    expect((await readerOf("ann"))?.name).toBe("ann");
  });

  test("of many with tokens of their own waits behind a bounded number of them", async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let atOnce = 0;
    const { readerOf } = given(new Set(), {
      whoIs: async () => {
        atOnce++;
        await gate;
        return undefined;
      },
    });
    const all = Array.from({ length: 2100 }, (_, index) =>
      readerOf(`stranger ${index}`).then(
        () => "answered",
        (error: RetryableError) => error.reason,
      ),
    );
    await sleep(50);
    expect(atOnce).toBe(8);
    open();
    const counts = Object.groupBy(await Promise.all(all), (outcome) => outcome);
    expect(counts["Busy"]?.length).toBeGreaterThan(50);
    expect(counts["answered"]?.length).toBeGreaterThan(1900);
  });
});
