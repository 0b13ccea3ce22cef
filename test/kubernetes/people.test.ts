import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILD_MS, built } from "../cluster/built.ts";
import { createAgents } from "./agents.ts";
import { apply, argo, kubectl, list, until } from "./cluster.ts";
import { NAMESPACE, TENANT } from "./namespaces.ts";
import { pipeline, run, strings, testAgent } from "./tenant.ts";
import {
  analysesBySite,
  asking,
  condition,
  decide,
  deleteWorkloads,
  example,
  freshNamespace,
  reviewOf,
  THREE_SITES,
  untilPhase,
  workflowOf,
  workload,
} from "./workload.ts";

/** A market of three sites. */
const few = { sites: THREE_SITES, replicas: 1 };

/** Three steps one after the other, and a gate: a run that is short, not over at once, and leaves the processor to others. */
const SLOW = "slow";
const slow = (name: string, over: object = {}) =>
  run(name, { pipeline: SLOW, replicas: 1, inputs: { topics: ["one", "two", "three"] }, ...over });

beforeAll(() => built("argo"), BUILD_MS);
beforeAll(async () => {
  const inputs = { schema: { type: "object", properties: { topics: strings } } };
  const steps = [
    { name: "work", agent: SLOW, forEach: "inputs.topics" },
    { name: "review", gate: {}, after: ["work"] },
  ];
  await createAgents(await testAgent(SLOW, { STEP_MS: "2000" }));
  await apply(pipeline(SLOW, { inputs, steps, output: "work" }));
});
afterAll(deleteWorkloads);

describe.concurrent("what people do", () => {
  test("a namespace that is deleted while its run goes on goes away", async () => {
    const namespace = await freshNamespace(`${NAMESPACE}-going`);
    await apply(example(namespace, "going", few));
    await untilPhase(namespace, "going", "Running");
    await kubectl(["delete", "namespace", namespace, "--timeout=180s"]);
    expect(await kubectl(["get", "namespace", namespace, "--ignore-not-found"])).toBe("");
  });

  test("a changed spec is a new run that pays only for what changed", async () => {
    const name = "edited";
    const edited = asking(name, { replicas: 10 });
    const { inputs } = edited.spec;
    await apply({ ...edited, spec: { ...edited.spec, inputs: { ...inputs, sites: inputs.sites.slice(1) } } });
    await untilPhase(NAMESPACE, name, "AwaitingReview");
    const old = await workflowOf(NAMESPACE, name);
    await apply(edited);
    await until("the new run", async () => (await workload(NAMESPACE, name))?.status?.items?.total === 10);
    const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
    expect(waiting.status.items).toMatchObject({ done: 10, failed: 0 });
    const analyses = await analysesBySite(inputs.objective);
    expect([analyses.size, ...analyses.values()]).toEqual([10, ...inputs.sites.map(() => 1)]);
    const stopped = (await list("workflows", NAMESPACE)).find((one) => one.metadata.uid === old?.metadata.uid);
    expect(stopped?.spec.shutdown).toBe("Terminate");
  });

  test("applied twice, it is one run", async () => {
    const one = slow("twice");
    await apply(one);
    await apply(one);
    await untilPhase(TENANT, "twice", "AwaitingReview");
    expect(await list("workflows", TENANT, "agentic.dev/workload=twice")).toHaveLength(1);
  });

  test("one that breaks a rule is refused with its field and the reason", async () => {
    const bad = asking("bad", { replicas: 99 });
    await expect(apply(bad)).rejects.toThrow(/spec\.replicas.*less than or equal to 64/s);
  });

  test("stopped in Argo: failed, with the way to go on, and gone on with", async () => {
    const name = "stopped";
    await apply(slow(name));
    await untilPhase(TENANT, name, "Running");
    const workflow = (await workflowOf(TENANT, name))?.metadata.name ?? "";
    await argo(TENANT, workflow, "stop");
    const failed = await untilPhase(TENANT, name, "Failed");
    expect(condition(failed, "Ready")).toMatchObject({ reason: "StoppedInArgo" });
    expect(condition(failed, "Ready").message).toContain(`kubectl -n ${TENANT} delete workflow ${workflow}`);
    await kubectl(["-n", TENANT, "delete", "workflows.argoproj.io", workflow]);
    const waiting = await untilPhase(TENANT, name, "AwaitingReview");
    expect(waiting.status.items).toMatchObject({ done: 3, failed: 0 });
  });

  test("suspended in Argo: said, with the way to go on", async () => {
    const name = "held";
    await apply(slow(name));
    await untilPhase(TENANT, name, "Running");
    const workflow = (await workflowOf(TENANT, name))?.metadata.name ?? "";
    await argo(TENANT, workflow, "suspend");
    const held = await untilPhase(TENANT, name, "Suspended");
    const advice = condition(held, "Ready").message;
    expect(advice).toContain(`kubectl -n ${TENANT} patch workflow ${workflow}`);
    await kubectl([
      "-n",
      TENANT,
      "patch",
      "workflows.argoproj.io",
      workflow,
      "--type=merge",
      "-p",
      '{"spec":{"suspend":null}}',
    ]);
    await untilPhase(TENANT, name, "AwaitingReview");
  });

  test("a step resumed by hand without a result fails its item", async () => {
    const name = "resumed";
    await apply(slow(name, { tolerate: { failedItems: "50%" } }));
    await until("a node", async () => {
      const workflow = await workflowOf(TENANT, name);
      const nodes = Object.values(workflow?.status?.nodes ?? {}) as { id: string; type: string; phase: string }[];
      const node = nodes.find(({ type, phase }) => type === "Suspend" && phase === "Running");
      if (!node || !workflow) return undefined;
      const operations = [
        { op: "test", path: `/status/nodes/${node.id}/phase`, value: "Running" },
        { op: "replace", path: `/status/nodes/${node.id}/phase`, value: "Succeeded" },
        {
          op: "add",
          path: `/status/nodes/${node.id}/outputs`,
          value: { parameters: [{ name: "result", value: "by hand" }] },
        },
      ];
      await kubectl([
        "-n",
        TENANT,
        "patch",
        "workflows.argoproj.io",
        workflow.metadata.name,
        "--type=json",
        "-p",
        JSON.stringify(operations),
      ]);
      return true;
    });
    const waiting = await untilPhase(TENANT, name, "AwaitingReview");
    // The hand is conditional on the node running: it was settled by hand, and counts as failed.
    expect(waiting.status.items).toMatchObject({ total: 3, done: 2, failed: 1 });
  });

  test("rejected: no report is written", async () => {
    const name = "rejected";
    await apply(asking(name, few));
    await untilPhase(NAMESPACE, name, "AwaitingReview");
    await decide(NAMESPACE, name, "rejected", { comment: "Too few of them are ours." });
    const done = await untilPhase(NAMESPACE, name, "Rejected");
    expect(done.status.outputs).toBeUndefined();
    expect(reviewOf(done)).toMatchObject({ decision: "rejected", automatic: false });
    expect(condition(done, "Ready")).toMatchObject({ status: "False", reason: "Rejected" });
    expect(condition(done, "Ready").message).toContain("Too few of them are ours.");
  });

  test("deleted while it runs: stopped, cleaned, gone", async () => {
    const name = "deleted-in-mid-run";
    await apply(slow(name));
    await untilPhase(TENANT, name, "Running");
    await kubectl(["-n", TENANT, "delete", "agentworkload", name, "--timeout=60s"]);
    expect(await workload(TENANT, name)).toBeUndefined();
    expect(await workflowOf(TENANT, name)).toBeUndefined();
  });
});
