import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { apply, kubectl } from "../cluster.ts";
import { NAMESPACE } from "../namespaces.ts";
import { analysesBySite, asking, decide, deleteWorkloads, SYSTEM, untilPhase } from "../workload.ts";

afterEach(deleteWorkloads);

describe("processes that end in the middle", () => {
  test.each([
    ["deleted", [], 0],
    // An answer that is on the wire when its process is killed is asked for again: at most those at work in one instance.
    ["killed", ["--force", "--grace-period=0"], 4 * 8],
  ])(
    "functions that are %s: others go on, and nothing that was answered is asked again",
    async (name, how, onTheWire) => {
      const applied = asking(name);
      await apply(applied);
      await untilPhase(NAMESPACE, name, "Running");
      for (let round = 0; round < 4; round++) {
        await sleep(2500);
        const selector = "serving.knative.dev/service in (scrape, analyze, reconcile)";
        await kubectl(["-n", SYSTEM, "delete", "pods", "-l", selector, "--wait=false", ...how]);
      }
      const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
      expect(waiting.status.items).toMatchObject({ total: 10, done: 10, failed: 0 });
      const asked = await analysesBySite(applied.spec.inputs.objective);
      expect(asked.size).toBe(10);
      expect([...asked.values()].reduce((sum, count) => sum + count - 1, 0)).toBeLessThanOrEqual(onTheWire);
      await decide(NAMESPACE, name, "approved");
      await untilPhase(NAMESPACE, name, "Succeeded");
    },
  );

  test("the Broker's dispatcher: what it held is asked for again", async () => {
    const name = "dispatcher";
    await apply(asking(name));
    await untilPhase(NAMESPACE, name, "Running");
    await sleep(1500);
    await kubectl([
      "-n",
      "knative-eventing",
      "delete",
      "pods",
      "-l",
      "messaging.knative.dev/role=dispatcher",
      "--force",
      "--grace-period=0",
    ]);
    const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
    expect(waiting.status.items).toMatchObject({ total: 10, done: 10, failed: 0 });
  });
});
