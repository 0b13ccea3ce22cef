import { afterAll, beforeAll, expect, test } from "vitest";
import { SCHEDULE_LABEL, scheduledIn } from "../../crd/agentschedule.ts";
import { createAgents } from "./agents.ts";
import { apply, get, type KubeObject, kubectl, list, until } from "./cluster.ts";
import { TENANT } from "./namespaces.ts";
import { pipeline, previousOf, schedule, testAgent } from "./tenant.ts";
import { condition, untilPhase } from "./workload.ts";

// When it starts what, over all that clocks do: test/unit/reconcile/schedule.test.ts.

const NAME = "minutely";
const SPEC = {
  schedule: "* * * * *",
  concurrencyPolicy: "Forbid",
  successfulHistoryLimit: 1,
  workloadTemplate: { metadata: { labels: { team: "tests" } }, spec: { pipeline: NAME } },
};
const own = async (): Promise<KubeObject[]> =>
  (await list("agentworkloads", TENANT, `${SCHEDULE_LABEL}=${NAME}`)).toSorted((a, b) =>
    a.metadata.name.localeCompare(b.metadata.name),
  );
const patch = (body: object, ...more: string[]) =>
  kubectl(["-n", TENANT, "patch", "agentschedule", NAME, "--type=merge", "-p", JSON.stringify(body), ...more]);

beforeAll(async () => {
  await createAgents(await testAgent(NAME));
  await apply(pipeline(NAME, { steps: [{ name: "look", agent: NAME, previous: true }] }));
});
afterAll(() => kubectl(["-n", TENANT, "delete", "agentschedule", NAME, "--ignore-not-found", "--wait=false"]));

test("a schedule of each minute: runs, each compared with the one before, and no more than are kept", async () => {
  await expect(apply(schedule(NAME, { ...SPEC, schedule: "61 * * * *" }))).rejects.toThrow(
    /Invalid value for minute: 61/,
  );
  await expect(
    apply(
      schedule(NAME, {
        ...SPEC,
        workloadTemplate: { spec: { pipeline: NAME, rerun: { at: "2026-01-01T00:00:00Z", from: "draw" } } },
      }),
    ),
  ).rejects.toThrow(/spec\.workloadTemplate\.spec\.rerun\.from there is no step draw/);
  await apply(schedule(NAME, { ...SPEC, suspend: true }));
  await until("the schedule to say that it rests", async () => {
    const object = await get("agentschedules", TENANT, NAME);
    return object && condition(object, "Ready")?.reason === "Suspended";
  });
  expect(await own()).toEqual([]);
  // As after a night without anybody: of all minutes that have passed, the last one counts.
  const before = new Date(Date.now() - 12 * 3_600_000).toISOString();
  await patch({ status: { lastScheduleTime: before } }, "--subresource=status");
  await patch({ spec: { suspend: false } });
  const first = await until("the first workload", async () => (await own())[0]);
  expect(first.metadata).toMatchObject({
    labels: { team: "tests", [SCHEDULE_LABEL]: NAME },
    ownerReferences: [{ kind: "AgentSchedule", name: NAME, controller: true }],
  });
  const due = scheduledIn(first.metadata.name)?.time.getTime() ?? 0;
  expect(Date.parse(first.metadata.creationTimestamp) - due).toBeLessThan(120_000);
  await untilPhase(TENANT, first.metadata.name, "Succeeded");

  // Its clock is reconcile's, which otherwise sleeps until the resync.
  const second = await until("the second workload", async () => {
    await patch({ metadata: { annotations: { awake: String(Date.now()) } } });
    return (await own()).find(({ metadata }) => metadata.name !== first.metadata.name);
  });
  expect(second.spec.compareWith).toBe(first.metadata.name);
  await patch({ spec: { suspend: true } });
  const done = await untilPhase(TENANT, second.metadata.name, "Succeeded");
  expect(condition(done, "Compared")).toMatchObject({ status: "True" });
  expect(done.status.comparedWith).toMatchObject({ workload: first.metadata.name, uid: first.metadata.uid });
  expect(await previousOf(done.metadata.uid)).toEqual([{ workload: first.metadata.name, bytes: 64 }]);
  await until("the first workload to be gone", async () => (await own()).length === 1);
  const { status } = (await get("agentschedules", TENANT, NAME)) ?? {};
  expect(status).toMatchObject({
    active: [],
    lastSuccessfulTime: expect.any(String),
    lastScheduleTime: expect.any(String),
  });

  await kubectl(["-n", TENANT, "delete", "agentschedule", NAME]);
  await until("its workloads to go with it", async () => (await own()).length === 0);
  expect(await list("workflows", TENANT, `agentic.dev/workload=${second.metadata.name}`)).toEqual([]);
});
