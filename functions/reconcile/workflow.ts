import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import { type Stage, stagesOf } from "../../pipeline/stages.ts";

/** Which workload a Workflow belongs to. */
export const WORKLOAD_LABEL = "agentic.dev/workload";
/** A step's output: how it ended, and under which identity its record is. */
export const RESULT_PARAMETER = "result";
/** The gate's output. */
export const DECISION_PARAMETER = "decision";
/** Which entry of the spec's list a step works on. */
export const INDEX_PARAMETER = "index";

/** One run of a workload is one Workflow; the same run has the same name. */
export function workflowName({ workload, run }: Pick<RunOrder, "workload" | "run">): string {
  return `${workload.name}-${run}`;
}

/** The workload's name in a Workflow's. */
export function workloadOfWorkflow(name: string): string | undefined {
  return /^(.+)-[0-9a-f]{10}$/.exec(name)?.[1];
}

/**
 * The run as an Argo Workflow: a DAG of suspend nodes and no pods. A step's node waits for what reconcile supplies; the gate's
 * has a duration and a default, so that its timeout holds even while every function sleeps. Entries of a list are numbered:
 * a node's name and inputs stay small, whatever the list holds.
 */
export function renderWorkflow(order: RunOrder, { spec }: AgentWorkload): object {
  const stages = stagesOf(order.pipeline);
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Workflow",
    metadata: {
      name: workflowName(order),
      namespace: order.workload.namespace,
      labels: { [WORKLOAD_LABEL]: order.workload.name, "app.kubernetes.io/managed-by": "agentic" },
      // In the workload's own namespace: an owner in another one would have it garbage-collected.
      ownerReferences: [
        {
          apiVersion: "agentic.dev/v1alpha1",
          kind: "AgentWorkload",
          name: order.workload.name,
          uid: order.workload.uid,
          controller: true,
        },
      ],
    },
    spec: {
      entrypoint: order.pipeline.name,
      activeDeadlineSeconds: Math.ceil(order.deadlineMs.run / 1000),
      ttlStrategy: { secondsAfterCompletion: Math.ceil(parseDuration(spec.ttlAfterFinished) / 1000) },
      templates: [
        {
          name: order.pipeline.name,
          dag: { tasks: stages.map((stage, at) => stageTask(stage, stages[at - 1], order)) },
        },
        ...stages.flatMap((stage) => ("chain" in stage ? fanOutTemplates(stage, order) : [])),
        ...order.pipeline.steps.map((step) => stepTemplate(step, spec)),
      ],
    },
  };
}

function stageTask(stage: Stage, before: Stage | undefined, order: RunOrder): object {
  const name = nameOf(stage);
  if (!before) return { name, template: name };
  const previous = nameOf(before);
  // How many entries may fail is judged at the step that comes after them: a failed one does not stop the DAG.
  if ("chain" in before)
    return { name, template: name, depends: `${previous}.Succeeded || ${previous}.Failed || ${previous}.Errored` };
  const afterGate = order.pipeline.steps.find((step) => step.name === previous)?.gate;
  return {
    name,
    template: name,
    depends: `${previous}.Succeeded`,
    ...(afterGate ? { when: `{{tasks.${previous}.outputs.parameters.${DECISION_PARAMETER}}} == approved` } : {}),
  };
}

function nameOf(stage: Stage): string {
  return "chain" in stage ? stage.forEach : stage.step.name;
}

/** A DAG that runs its one task for each entry, and the chain of steps that one entry goes through. */
function fanOutTemplates({ forEach, chain }: Extract<Stage, { chain: unknown }>, order: RunOrder): object[] {
  const entry = `${forEach}-entry`;
  return [
    {
      name: forEach,
      // Counts the DAGs below it, that is entries in flight; spec.parallelism would count pods, of which there are none.
      parallelism: order.parallelism,
      dag: {
        failFast: false,
        tasks: [
          {
            name: "entry",
            template: entry,
            arguments: { parameters: [{ name: INDEX_PARAMETER, value: "{{item}}" }] },
            withSequence: { count: String(order.lists[forEach].length) },
          },
        ],
      },
    },
    {
      name: entry,
      inputs: { parameters: [{ name: INDEX_PARAMETER }] },
      dag: {
        tasks: chain.map((step, at) => ({
          name: step.name,
          template: step.name,
          arguments: { parameters: [{ name: INDEX_PARAMETER, value: `{{inputs.parameters.${INDEX_PARAMETER}}}` }] },
          ...(at === 0 ? {} : { depends: `${chain[at - 1]?.name}.Succeeded` }),
        })),
      },
    },
  ];
}

function stepTemplate(step: Step, spec: AgentWorkload["spec"]): object {
  if (step.gate)
    return {
      name: step.name,
      suspend: { duration: String(Math.ceil(parseDuration(spec.review.timeout) / 1000)) },
      outputs: {
        parameters: [
          {
            name: DECISION_PARAMETER,
            valueFrom: { supplied: {}, default: spec.review.onTimeout === "Approve" ? "approved" : "rejected" },
          },
        ],
      },
    };
  return {
    name: step.name,
    ...(step.forEach ? { inputs: { parameters: [{ name: INDEX_PARAMETER }] } } : {}),
    suspend: {},
    outputs: { parameters: [{ name: RESULT_PARAMETER, valueFrom: { supplied: {} } }] },
  };
}
