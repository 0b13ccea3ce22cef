import { describe, expect, test } from "vitest";
import { agentSchema } from "../../../crd/agent.ts";
import type { PipelineSpec } from "../../../crd/agentpipeline.ts";
import { agentWorkloadSchema } from "../../../crd/agentworkload.ts";
import { triggerName } from "../../../functions/reconcile/agent/render.ts";
import { renderWorkflow, workflowName, workloadOfWorkflow } from "../../../functions/reconcile/argo/render.ts";
import { CHAIN, frozenPipeline, parsedSpec, runFor } from "./given.ts";
import { pipelineOf, REF, UID } from "./harness.ts";

interface Rendered {
  readonly metadata: object;
  readonly spec: { readonly templates: readonly Template[] };
}
interface Template {
  readonly name: string;
  readonly parallelism?: number;
  readonly suspend?: object;
  readonly outputs?: object;
  readonly dag?: { readonly failFast: boolean; readonly tasks: readonly Task[] };
}
interface Task {
  readonly name: string;
  readonly depends?: string;
  readonly when?: string;
  readonly withSequence?: object;
}

const DAY_SECONDS = 24 * 3600;
const render = (pipeline: PipelineSpec = CHAIN, spec: Record<string, unknown> = {}) =>
  renderWorkflow(runFor({ pipeline, spec }), parsedSpec({ spec })) as Rendered;
const templateOf = ({ spec }: Rendered, name: string) => spec.templates.find((template) => template.name === name);
/** `task: depends [when]` */
const linesOf = (rendered: Rendered, name: string): string[] =>
  (templateOf(rendered, name)?.dag?.tasks ?? []).map(
    ({ name: task, depends, when }) => `${task}: ${depends ?? "-"}${when ? ` [${when}]` : ""}`,
  );

test("the Workflow's name is the run's, and has the workload's in it", () => {
  const run = runFor({});
  expect(workflowName(run)).toMatch(/^demo-[0-9a-f]{10}$/);
  expect(workloadOfWorkflow(workflowName(run))).toBe("demo");
  expect(workloadOfWorkflow("somebody-elses")).toBeUndefined();
});

test("names that are composed of the longest allowed ones are names for Kubernetes", () => {
  const workload = agentWorkloadSchema.shape.metadata.shape.name;
  const agent = agentSchema.shape.metadata.shape.name;
  const longest = (schema: { safeParse: (name: string) => { success: boolean } }): string => {
    const lengths = Array.from({ length: 70 }, (_, at) => "a".repeat(at + 1));
    return lengths.filter((name) => schema.safeParse(name).success).at(-1) ?? "";
  };
  expect([longest(workload).length, longest(agent).length]).toEqual([52, 40]);
  expect(workflowName({ workload: { ...REF, name: longest(workload), uid: UID }, run: runFor({}).run }).length).toBe(
    63,
  );
  expect(triggerName({ metadata: { ...REF, name: longest(agent) } }).length).toBeLessThanOrEqual(63);
});

test.each([
  ["suspend", { suspend: true }, true],
  ["ttlAfterFinished", { ttlAfterFinished: "1h" }, true],
  ["inputs", { inputs: { items: ["http://z.example/"] } }, false],
  ["replicas", { replicas: 3 }, true],
  ["budget", { budget: { maxUsd: "1" } }, true],
  ["review", { review: { timeout: "1h" } }, true],
  ["egress", { egress: { allow: ["b.example"] } }, true],
  ["tolerate", { tolerate: { failedItems: 1 } }, true],
  ["deadlines", { deadlines: { run: "1h" } }, true],
  ["retry", { retry: { limit: 1 } }, true],
  ["freshness", { freshness: "1h" }, true],
  ["model", { model: { name: "gpt-4o-mini" } }, false],
  ["pipeline", { pipeline: "other" }, false],
])("another %s is the same run: %s", (_field, spec, same) => {
  expect(workflowName(runFor({ spec })) === workflowName(runFor({}))).toBe(same);
});

test("a Workflow belongs to its workload, keeps the frozen pipeline, and ends in time", () => {
  const rendered = render();
  expect(rendered).toMatchObject({
    metadata: {
      namespace: REF.namespace,
      labels: { "agentic.dev/workload": "demo", "app.kubernetes.io/managed-by": "agentic" },
      annotations: { "agentic.dev/pipeline": JSON.stringify(frozenPipeline(CHAIN)) },
      ownerReferences: [{ kind: "AgentWorkload", name: "demo", uid: UID, controller: true }],
    },
    spec: {
      entrypoint: "main",
      // A day, and the gate's own.
      activeDeadlineSeconds: 2 * DAY_SECONDS,
      // What the workload says, and a day in which reconcile deletes it.
      ttlStrategy: { secondsAfterCompletion: 31 * DAY_SECONDS },
    },
  });
});

describe("the DAG", () => {
  const ends = (task: string) =>
    [task, `${task}.Succeeded || ${task}.Failed || ${task}.Errored || ${task}.Skipped`] as const;
  const any = (task: string) => `(${ends(task)[1]})`;
  const over = (...tasks: string[]) => tasks.map((task) => `(${task}.Omitted || ${ends(task)[1]})`).join(" && ");
  const list = pipelineOf({
    steps: [
      { name: "find", agent: "fetch" },
      { name: "check", agent: "read", after: ["find"], forEach: "steps.find.items" },
      { name: "sum", agent: "write", after: ["check"] },
    ],
  });

  test.each<[string, PipelineSpec, string[]]>([
    [
      "a fan-out, a gate, a report: the end waits for all",
      CHAIN,
      [
        "each-fetch: - [5 != 0]",
        `gate-review: ${any("each-fetch")}`,
        `step-write: ${any("each-fetch")} && gate-review.Succeeded`,
        `end: ${over("each-fetch", "gate-review", "step-write")}`,
      ],
    ],
    [
      "a fan-out over what a step returned waits for the number of items",
      list,
      [
        "step-find: -",
        "list-check: step-find.Succeeded",
        "each-check: list-check.Succeeded [{{tasks.list-check.outputs.parameters.result}} != 0]",
        `step-sum: ${any("each-check")}`,
        `end: ${over("step-find", "list-check", "each-check", "step-sum")}`,
      ],
    ],
  ])("%s", (_what, pipeline, lines) => {
    expect(linesOf(render(pipeline), "main")).toEqual(lines);
  });

  test("an item goes through its steps one by one, as many items at once as the workload has replicas", () => {
    const rendered = render(CHAIN, { replicas: 3 });
    expect(linesOf(rendered, "item-fetch")).toEqual(["step-fetch: -", "step-read: step-fetch.Succeeded"]);
    expect(templateOf(rendered, "each-fetch")).toMatchObject({
      parallelism: 3,
      dag: { tasks: [{ template: "item-fetch", withSequence: { count: "{{inputs.parameters.count}}" } }] },
    });
  });

  test("no branch ends another one, and no template has a pod", () => {
    const { templates } = render().spec;
    expect(templates.filter(({ dag }) => dag && dag.failFast !== false)).toEqual([]);
    expect(templates.filter((template) => !template.dag && !template.suspend)).toEqual([]);
  });
});

describe("a gate", () => {
  const suspended = (seconds: number, valueFrom: object) => ({
    suspend: { duration: String(seconds) },
    outputs: { parameters: [{ name: "result", valueFrom }] },
  });
  test.each<[string, object, Record<string, unknown>, object]>([
    [
      "rejects at the timeout and a grace: Argo has nothing to give it",
      {},
      {},
      suspended(DAY_SECONDS + 600, { supplied: {} }),
    ],
    [
      "approves then, where the workload says so",
      {},
      { review: { timeout: "1h", onTimeout: "Approve" } },
      suspended(3600 + 600, { supplied: {}, default: "approved" }),
    ],
    [
      "has terms of its own",
      { timeout: "2h", onTimeout: "Reject" },
      { review: { timeout: "1h", onTimeout: "Approve" } },
      suspended(7200 + 600, { supplied: {} }),
    ],
  ])("%s", (_what, gate, spec, expected) => {
    const pipeline = pipelineOf({
      steps: [
        { name: "ask", gate },
        { name: "do", agent: "write", after: ["ask"] },
      ],
    });
    const rendered = templateOf(render(pipeline, spec), "gate-ask");
    expect({ suspend: rendered?.suspend, outputs: rendered?.outputs }).toEqual(expected);
  });
});

test("a Workflow of 500 items is small before it has nodes", () => {
  const items = Array.from({ length: 500 }, (_, index) => `http://site-${index}.example/${"x".repeat(500)}`);
  expect(JSON.stringify(render(CHAIN, { inputs: { items } })).length).toBeLessThan(5000);
});
