import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QUOTAS } from "../../lib/quota/limits.ts";
import { createAgents } from "./agents.ts";
import { apply, get, kubectl, until } from "./cluster.ts";
import { LIMITED } from "./namespaces.ts";
import { agent, pipeline, run, testAgent } from "./tenant.ts";
import { condition, SYSTEM, untilPhase, untilSaid, workflowOf } from "./workload.ts";

// What an administrator's ConfigMap holds a namespace to.

const limited = <T extends { readonly metadata: { readonly name: string } }>({ metadata, ...object }: T) => ({
  ...object,
  metadata: { ...metadata, namespace: LIMITED },
});
const workload = (name: string, spec: object = {}) => limited(run(name, { pipeline: "slow", ...spec }));

const USAGE = `agentic-usage-${LIMITED}`;

const setQuota = (quota: object) =>
  apply({ apiVersion: "v1", kind: "ConfigMap", metadata: QUOTAS, data: { [LIMITED]: JSON.stringify(quota) } });

const DRY_RUN = ["apply", "--server-side", "--force-conflicts", "--dry-run=server"];

/** Where the webhook does not answer within its time, objects are taken as they are. */
const refusalOf = (object: object) =>
  until(
    "the webhook's word",
    () =>
      kubectl([...DRY_RUN, "--warnings-as-errors", "-f", "-"], JSON.stringify(object)).then(
        () => undefined,
        (error: unknown) => String(error),
      ),
    { ms: 60_000 },
  );

beforeAll(async () => {
  const { spec } = await testAgent("slow", { STEP_MS: "20000" });
  await createAgents(limited(agent("slow", spec)));
  await apply(limited(pipeline("slow", { steps: [{ name: "wait", agent: "slow" }] })));
});
afterAll(async () => {
  await kubectl(["-n", SYSTEM, "delete", "configmap", QUOTAS.name, USAGE, "--ignore-not-found"]);
});

/** One after the other: they are about the same namespace. */
describe("a namespace with a quota", () => {
  test("of one workload at once: the second waits, and starts by itself when the first has ended", async () => {
    await setQuota({ maxRunning: 1 });
    await apply(workload("first"));
    await untilPhase(LIMITED, "first", "Running");
    expect(await refusalOf(workload("second"))).toMatch(/will wait: Namespace \S+ runs 1 of 1 workloads/);
    await apply(workload("second"));
    expect((await untilSaid(LIMITED, "second", "Queued")).message).toMatch(/runs 1 of 1 workloads/);
    expect((await get("agentworkloads", LIMITED, "second"))?.status.phase).toBe("Pending");
    expect(await workflowOf(LIMITED, "second")).toBeUndefined();
    expect(await kubectl(["-n", LIMITED, "describe", "agentworkload", "second"])).toMatch(/runs 1 of 1 workloads/);

    const first = await untilPhase(LIMITED, "first", "Succeeded");
    const second = await untilPhase(LIMITED, "second", "Succeeded", { ms: 90_000 });
    expect(Date.parse(second.status.startedAt)).toBeGreaterThanOrEqual(Date.parse(first.status.finishedAt));
  });

  test("of dollars a month: a budget is set aside while its workload runs, and one that does not fit waits", async () => {
    await setQuota({ maxUsdPerMonth: "1" });
    expect(await refusalOf(workload("boundless"))).toMatch(/has \$1 a month: set spec\.budget\.maxUsd/);
    const budget = { maxUsd: "0.6" };
    expect(await refusalOf(workload("dear", { budget: { maxUsd: "1.1" } }))).toMatch(/\$1\.1 is more than the \$1/);
    await apply(workload("third", { budget }));
    await untilPhase(LIMITED, "third", "Running");
    await apply(workload("fourth", { budget }));
    const { message } = await untilSaid(LIMITED, "fourth", "QuotaExceeded");
    expect(message).toMatch(/\$0 is spent, \$0\.6 is set aside .* this one's budget is \$0\.6/);
    const usage = await get("configmaps", SYSTEM, USAGE);
    expect(usage?.["data"].summary).toMatch(/^\d{4}-\d{2}: \$0 spent, \$0\.6 set aside; 1 at work, 1 in the queue$/);

    await untilPhase(LIMITED, "third", "Succeeded");
    const fourth = await untilPhase(LIMITED, "fourth", "Succeeded", { ms: 90_000 });
    expect(condition(fourth, "Ready")).toMatchObject({ status: "True" });
    await kubectl(["-n", LIMITED, "delete", "agentworkload", "third", "fourth", "--timeout=60s"]);
    const after = await get("configmaps", SYSTEM, USAGE);
    expect(Object.keys(JSON.parse(after?.["data"].accounts).workloads)).toHaveLength(2);
  });
});
