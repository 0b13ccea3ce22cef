import type { WorkloadSpec } from "../../../crd/agentworkload.ts";
import { parseDuration } from "../../../crd/duration.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import { gateTerms, inputList, type Run, termsOf } from "../../../engine/run.ts";
import type { Stage } from "../../../engine/stages.ts";
import {
  APPROVED_OUTPUT,
  COMPARISON_ANNOTATION,
  COUNT_PARAMETER,
  END,
  eachTemplate,
  gateTemplate,
  INDEX_PARAMETER,
  itemTemplate,
  listTemplate,
  MAIN,
  PIPELINE_ANNOTATION,
  RESULT_PARAMETER,
  SPEC_ANNOTATION,
  stepTemplate,
  TERMS_ANNOTATION,
  WORKLOAD_LABEL,
} from "./names.ts";

/** Reconcile decides a gate's timeout. Argo's own is for the time when reconcile cannot: this much later. */
const GATE_GRACE_MS = 10 * 60_000;
/** Reconcile deletes a Workflow whose time to live is over. Argo does where reconcile cannot, this much later: a Workflow that is gone
 * before its time is one that somebody deleted to have a failed run tried again. */
const KEEP_GRACE_MS = 24 * 3_600_000;

/** One run of a workload is one Workflow; the same run has the same name. */
export function workflowName({ workload, run }: Pick<Run, "workload" | "run">): string {
  return `${workload.name}-${run}`;
}

/** The workload's name in a Workflow's. */
export function workloadOfWorkflow(name: string): string | undefined {
  return /^(.+)-[0-9a-f]{10}$/.exec(name)?.[1];
}

/**
 * The run as an Argo Workflow: a DAG of suspend nodes and no pods. A node waits for what reconcile supplies. Items are numbered:
 * a node's name and inputs stay small, whatever the list holds. Argo decides on the order alone; whether failures are tolerated,
 * `when`, and how the run ends is reconcile's, which settles the last node, `end`, accordingly.
 */
export function renderWorkflow(run: Run, spec: WorkloadSpec): object {
  const terms = updateWorkflow(run, spec);
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Workflow",
    metadata: {
      name: workflowName(run),
      namespace: run.workload.namespace,
      labels: { [WORKLOAD_LABEL]: run.workload.name, "app.kubernetes.io/managed-by": "agentic" },
      annotations: {
        [PIPELINE_ANNOTATION]: JSON.stringify(run.pipeline),
        ...(run.comparison ? { [COMPARISON_ANNOTATION]: JSON.stringify(run.comparison) } : {}),
        ...terms.metadata.annotations,
      },
      // In the workload's own namespace: an owner in another one would have it garbage-collected.
      ownerReferences: [
        {
          apiVersion: "agentic.dev/v1alpha1",
          kind: "AgentWorkload",
          name: run.workload.name,
          uid: run.workload.uid,
          controller: true,
        },
      ],
    },
    spec: { entrypoint: MAIN, ...terms.spec },
  };
}

/**
 * All of a Workflow that a run's terms show in. Argo reads a Workflow's own templates, its deadline and its time to live anew whenever it
 * looks at it; templates are a list, of which a merge patch takes the whole.
 */
export function updateWorkflow(run: Run, spec: WorkloadSpec) {
  return {
    metadata: {
      annotations: { [SPEC_ANNOTATION]: sha256(canonicalJson(spec)), [TERMS_ANNOTATION]: termsOf(spec) },
    },
    spec: {
      activeDeadlineSeconds: Math.ceil(run.runDeadlineMs / 1000),
      ttlStrategy: {
        secondsAfterCompletion: Math.ceil((parseDuration(spec.ttlAfterFinished) + KEEP_GRACE_MS) / 1000),
      },
      templates: [
        mainTemplate(run),
        ...run.stages.flatMap((stage) => stageTemplates(run, stage)),
        suspendTemplate(END),
      ],
    },
  };
}

interface Task {
  readonly name: string;
  readonly template: string;
  readonly depends?: string;
  readonly when?: string;
  readonly arguments?: object;
}

/** failFast would keep independent branches from ending: that a run has failed is reconcile's to say. */
function mainTemplate(run: Run): object {
  const tasks = run.stages.flatMap((stage) => stageTasks(run, stage));
  const ends = tasks.map(({ name }) => `(${[`${name}.Omitted`, ...anyEnd(name)].join(" || ")})`);
  return {
    name: MAIN,
    dag: { failFast: false, tasks: [...tasks, { name: END, template: END, depends: ends.join(" && ") }] },
  };
}

function stageTasks(run: Run, stage: Stage): Task[] {
  const before = run.stages.filter(({ name }) => stage.after.includes(name));
  const depends = before.map(dependence).join(" && ");
  const first = (name: string): Task => ({
    name,
    template: name,
    ...(depends === "" ? {} : { depends }),
  });
  if (stage.forEach === undefined) return [first(taskOf(stage))];
  const list = listTemplate(stage.name);
  const given = inputList(run, stage);
  const count = given ? String(given.length) : outputOfTask(list, RESULT_PARAMETER);
  const each = given
    ? first(taskOf(stage))
    : { name: taskOf(stage), template: taskOf(stage), depends: `${list}.Succeeded` };
  return [
    ...(given ? [] : [first(list)]),
    {
      ...each,
      // Argo has no fan-out of nothing.
      when: `${count} != 0`,
      arguments: { parameters: [{ name: COUNT_PARAMETER, value: count }] },
    },
  ];
}

function taskOf(stage: Stage): string {
  const [step] = stage.steps;
  if (stage.forEach !== undefined || !step) return eachTemplate(stage.name);
  return step.gate ? gateTemplate(step.name) : stepTemplate(step.name);
}

/** How many items may fail is reconcile's to judge, at the node that comes next. A single step that failed lets nothing go on, unless it is optional. */
function dependence(stage: Stage): string {
  const task = taskOf(stage);
  const mustSucceed = stage.forEach === undefined && !stage.steps[0]?.optional;
  return mustSucceed ? `${task}.Succeeded` : `(${anyEnd(task).join(" || ")})`;
}

function anyEnd(task: string): string[] {
  return ["Succeeded", "Failed", "Errored", "Skipped"].map((end) => `${task}.${end}`);
}

function outputOfTask(task: string, parameter: string): string {
  return `{{tasks.${task}.outputs.parameters.${parameter}}}`;
}

function stageTemplates(run: Run, stage: Stage): object[] {
  const own = stage.steps.map((step) =>
    step.gate ? gateNode(run, step) : suspendTemplate(stepTemplate(step.name), stage),
  );
  if (stage.forEach === undefined) return own;
  const list = inputList(run, stage) ? [] : [suspendTemplate(listTemplate(stage.name))];
  return [...list, ...fanOutTemplates(run, stage), ...own];
}

/** A DAG that runs its one task for each item, and the DAG of the steps that one item goes through. */
function fanOutTemplates(run: Run, { name, steps }: Stage): object[] {
  const index = `{{inputs.parameters.${INDEX_PARAMETER}}}`;
  const inStage = new Set(steps.map((step) => step.name));
  return [
    {
      name: eachTemplate(name),
      inputs: { parameters: [{ name: COUNT_PARAMETER }] },
      // Counts the DAGs below it, that is items in flight; spec.parallelism would count pods, of which there are none.
      parallelism: run.parallelism,
      dag: {
        failFast: false,
        tasks: [
          {
            name: "item",
            template: itemTemplate(name),
            arguments: { parameters: [{ name: INDEX_PARAMETER, value: "{{item}}" }] },
            withSequence: { count: `{{inputs.parameters.${COUNT_PARAMETER}}}` },
          },
        ],
      },
    },
    {
      name: itemTemplate(name),
      inputs: { parameters: [{ name: INDEX_PARAMETER }] },
      dag: {
        failFast: false,
        tasks: steps.map((step) => {
          const before = step.after.filter((one) => inStage.has(one)).map((one) => `${stepTemplate(one)}.Succeeded`);
          return {
            name: stepTemplate(step.name),
            template: stepTemplate(step.name),
            arguments: { parameters: [{ name: INDEX_PARAMETER, value: index }] },
            ...(before.length > 0 ? { depends: before.join(" && ") } : {}),
          };
        }),
      },
    },
  ];
}

function suspendTemplate(name: string, { forEach }: Pick<Stage, "forEach"> = {}): object {
  return {
    name,
    ...(forEach === undefined ? {} : { inputs: { parameters: [{ name: INDEX_PARAMETER }] } }),
    suspend: {},
    outputs: { parameters: [{ name: RESULT_PARAMETER, valueFrom: { supplied: {} } }] },
  };
}

function gateNode(run: Run, step: PipelineStep): object {
  const { timeoutMs, onTimeout } = gateTerms(run, step);
  // Without a default the node is in error at its timeout, as a rejected gate fails: nothing behind it starts.
  const value = onTimeout === "Approve" ? { default: APPROVED_OUTPUT } : {};
  return {
    name: gateTemplate(step.name),
    suspend: { duration: String(Math.ceil((timeoutMs + GATE_GRACE_MS) / 1000)) },
    outputs: { parameters: [{ name: RESULT_PARAMETER, valueFrom: { supplied: {}, ...value } }] },
  };
}
