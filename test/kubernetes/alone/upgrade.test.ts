import { afterAll, expect, test } from "vitest";
import { createAgents, deleteAgents } from "../agents.ts";
import { apply, get, type KubeObject, kubectl, until } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { executionsOf, executionTimes, pipeline, run, strings, testAgent } from "../tenant.ts";
import { decide, SYSTEM, untilPhase, workload } from "../workload.ts";

// What an upgrade does to a run: functions are replaced while they work, the old revision beside the new one.

const AGENT = "replaced";
const STEP = { STEP_MS: "1000" };
const ITEMS = Array.from({ length: 50 }, (_, index) => `item-${index}`);
const CONTROL = ["reconcile", "approve"];

/** Another revision of the same code, as another image makes it. */
const replace = (name: string, version: string | null) =>
  kubectl([
    ...["-n", SYSTEM, "patch", "services.serving.knative.dev", name, "--type=merge", "-p"],
    JSON.stringify({ spec: { template: { metadata: { annotations: { "agentic.dev/test-version": version } } } } }),
  ]);

const revisionOf = async (namespace: string, name: string): Promise<string> =>
  (await get("ksvc", namespace, name))?.status.latestReadyRevisionName;

/** Until another revision than `before` gets all requests. @returns when, in ms */
async function untilReplaced(namespace: string, name: string, before: string): Promise<number> {
  const replaced = async () => {
    const { metadata, status } = (await get("ksvc", namespace, name)) as KubeObject;
    const [to] = status.traffic;
    return status.observedGeneration === metadata.generation && to.revisionName !== before && to.percent === 100;
  };
  await until(`another revision of ${name}`, replaced, { ms: 120_000, seen: () => get("ksvc", namespace, name) });
  return Date.now();
}

afterAll(async () => {
  for (const name of CONTROL) await replace(name, null);
  await kubectl(["-n", TENANT, "delete", "agentworkload", "upgraded", "--ignore-not-found", "--timeout=120s"]);
  await deleteAgents(TENANT);
});

test("reconcile, approve and an agent are replaced during a run of fifty: nothing is lost, nothing is done twice", async () => {
  await createAgents(await testAgent(AGENT, STEP));
  await apply(
    pipeline("upgraded", {
      inputs: { schema: { type: "object", properties: { items: strings } } },
      steps: [
        { name: "look", agent: AGENT, forEach: "inputs.items" },
        { name: "review", after: ["look"], gate: { show: ["look"] } },
        { name: "sum", agent: AGENT, after: ["review"] },
      ],
    }),
  );
  const before = new Map<string, string>();
  for (const name of CONTROL) before.set(name, await revisionOf(SYSTEM, name));
  const agentBefore = await revisionOf(TENANT, AGENT);
  await apply(run("upgraded", { pipeline: "upgraded", inputs: { items: ITEMS }, replicas: 4 }));
  await until(
    "the run to be under way",
    async () => ((await workload(TENANT, "upgraded"))?.status?.items?.done ?? 0) >= 4,
  );

  await replace("reconcile", "2");
  await apply(await testAgent(AGENT, { ...STEP, VERSION: "2" }));
  const [at] = await Promise.all([
    untilReplaced(TENANT, AGENT, agentBefore),
    untilReplaced(SYSTEM, "reconcile", before.get("reconcile") ?? ""),
  ]);
  const waiting = await untilPhase(TENANT, "upgraded", "AwaitingReview");
  expect(waiting.status.items).toMatchObject({ total: 50, done: 50, failed: 0 });
  // Both have worked on it.
  const times = [...(await executionTimes(waiting.metadata.uid)).values()].flat();
  expect(times.filter((one) => one < at).length).toBeGreaterThan(0);
  expect(times.filter((one) => one > at).length).toBeGreaterThan(0);

  await replace("approve", "2");
  await decide(TENANT, "upgraded", "approved");
  await untilReplaced(SYSTEM, "approve", before.get("approve") ?? "");
  const done = await untilPhase(TENANT, "upgraded", "Succeeded");
  const executions = await executionsOf(done);
  expect(executions.size).toBe(ITEMS.length + 1);
  expect([...executions].filter(([, count]) => count !== 1)).toEqual([]);
});
