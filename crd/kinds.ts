import type { z } from "zod";
import { agentSchema } from "./agent.ts";
import { agentDecisionSchema } from "./agentdecision.ts";
import { agentPipelineSchema } from "./agentpipeline.ts";
import { agentScheduleSchema, MAX_SCHEDULE_NAME, MAX_SCHEDULE_NAME_WITH_IMAGE } from "./agentschedule.ts";
import { agentWorkloadSchema, MAX_WORKLOAD_NAME, type WorkloadSpec } from "./agentworkload.ts";
import type { Extensions } from "./structural.ts";

/** A kind's definition beyond its schema. */
export interface KindDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly schema: z.ZodType;
  readonly description: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: "string" | "date";
    readonly jsonPath: string;
    readonly priority?: number;
  }[];
  /** What the API server checks beyond types: CEL rules, and lists that are sets or maps. */
  readonly extensions: Extensions;
  /** Fields that a list can be narrowed by. */
  readonly selectable?: readonly string[];
  /** Markdown that the reference page ends with. */
  readonly notes: string;
}

const AGE = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" } as const;
const SET = { "x-kubernetes-list-type": "set" };
const CONDITIONS = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] };
const TOLERANCE = {
  // Bounds the estimated cost of the rule.
  maxLength: 4,
  "x-kubernetes-validations": [
    {
      rule: "type(self) == string ? self.matches('^([0-9]|[1-9][0-9]|100)%$') : (self >= 0 && self <= 500)",
      message: 'must be a number from 0 to 500 or a percentage such as "20%"',
    },
  ],
};

const AGENT_NAME_RULE = "size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')";

const agent: KindDefinition = {
  kind: "Agent",
  plural: "agents",
  shortName: "agent",
  schema: agentSchema,
  description: "An Agent does steps of pipelines: a service that runs already, or an image.",
  columns: [
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: "URL", type: "string", jsonPath: ".status.url" },
    AGE,
  ],
  extensions: {
    "": {
      "x-kubernetes-validations": [
        {
          rule: AGENT_NAME_RULE,
          message: "metadata.name must have at most 40 lower-case letters, digits and dashes, a letter first",
        },
      ],
    },
    spec: {
      "x-kubernetes-validations": [
        {
          rule: "(has(self.service) ? 1 : 0) + (has(self.uri) ? 1 : 0) + (has(self.image) ? 1 : 0) == 1",
          message: "needs exactly one of service, uri and image",
        },
        {
          rule: "has(self.image) || !(has(self.command) || has(self.args) || has(self.env) || has(self.envFrom) || has(self.resources) || has(self.scale))",
          message: "command, args, env, envFrom, resources and scale are only for an agent with image",
        },
      ],
    },
    "spec.uri": { pattern: "^https?://" },
    "spec.scale": {
      "x-kubernetes-validations": [
        { rule: "!has(self.min) || !has(self.max) || self.min <= self.max", message: "min is above max" },
      ],
    },
    "status.conditions": CONDITIONS,
  },
  notes: "",
};

const agentPipeline: KindDefinition = {
  kind: "AgentPipeline",
  plural: "agentpipelines",
  shortName: "ap",
  schema: agentPipelineSchema,
  description: "An AgentPipeline is a DAG of steps that AgentWorkloads run.",
  columns: [{ name: "Description", type: "string", jsonPath: ".spec.description", priority: 1 }, AGE],
  extensions: {
    "spec.steps": { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
    "spec.steps[]": {
      "x-kubernetes-validations": [
        { rule: "has(self.agent) != has(self.gate)", message: "needs exactly one of agent and gate" },
        {
          rule: "!(has(self.gate) && has(self.forEach))",
          message: "gate cannot be combined with forEach: a gate is decided once",
        },
      ],
    },
    "spec.steps[].after": SET,
    "spec.steps[].with": SET,
    "spec.steps[].gate.show": SET,
    "spec.steps[].egress.allow": SET,
    "spec.steps[].tolerate.failedItems": TOLERANCE,
  },
  notes: `
## What \`when\` can read
\`when\` is a CEL expression of type bool. A step whose \`when\` is false is skipped; one whose \`when\` cannot be evaluated fails with
\`InvalidCondition\`. Test a value that may be missing with \`has()\`.

| value | meaning |
| --- | --- |
| \`inputs.NAME\` | An input of the workload. It must be in \`inputs.schema.properties\`. |
| \`item\` | The item, in a step with \`forEach\`; otherwise null. |
| \`steps.NAME.outcome\` | \`succeeded\`, \`failed\` or \`skipped\`. |
| \`steps.NAME.data\`, \`steps.NAME.output\` | What the step returned, or null. |
| \`steps.NAME.total\`, \`.succeeded\`, \`.failed\`, \`.skipped\` | Counts of its items; of a step without \`forEach\` 1 or 0. |

Each step that \`when\` reads must end before. \`steps["NAME"]\` is for a name with a dash. Of a step over the same list,
\`steps.NAME\` is what it did with the same item. Of a step over another list, \`data\` is a list in the order of the items, and
\`outcome\` and \`output\` do not exist. Counts are ints, numbers in \`inputs\` and \`data\` are doubles: \`inputs.depth + 1.0 > 2\`.
`,
};

const RERUN = "Another run. Reuses succeeded steps";
const SAME = "The same run.";
/** For each field of a workload's spec: engine/run.ts runIdOf and the identity of steps decide it. */
const EDITS: Readonly<Record<keyof WorkloadSpec, string>> = {
  pipeline: `${RERUN} that the new pipeline has under the same name, with the same agent and input.`,
  inputs: `${RERUN} whose item, inputs in \`with\` and results of earlier steps are unchanged.`,
  image: "Another run. Reuses no step, because the agent has another revision.",
  resources: "Another run. Reuses no step, because the agent has another revision.",
  replicas: `${SAME} Items that start from then on; those in flight are not stopped.`,
  suspend: `${SAME} True pauses it, false continues it. Timeouts of gates go on, and decisions count.`,
  stop: `${SAME} True ends it, also while it is suspended; false then tries it again.`,
  rerun: `${RERUN} that come before \`from\`; without \`from\` none. What it costs counts towards the same budget.`,
  compareWith: `${RERUN}, except those with \`previous\` and the steps after them.`,
  model: `${RERUN}, except those with \`model\` in \`with\` and the steps after them.`,
  budget: `${SAME} Steps that are requested from then on; what the run has cost counts.`,
  review: `${SAME} Gates that are open too: \`timeout\` counts from their opening. A gate that is settled stays so.`,
  egress: `${SAME} Steps that are requested from then on.`,
  tolerate: `${SAME} The failed items so far count.`,
  deadlines: `${SAME} \`run\` counts from its start, \`item\` from each step's first request. A step in flight keeps the earlier of both.`,
  retry: `${SAME} Steps that are requested from then on.`,
  freshness: `${SAME} Steps that are not settled yet.`,
  ttlAfterFinished: `${SAME} It is kept this long after its end. One that has expired stays so.`,
};

/** Of a workload's spec, wherever it stands. */
const workloadSpecExtensions = (path: string): Extensions => ({
  [path]: {
    "x-kubernetes-validations": [
      { rule: "!(has(self.image) && has(self.pipeline))", message: "image cannot be combined with pipeline" },
      { rule: "has(self.image) || !has(self.resources)", message: "resources is only for a workload with image" },
    ],
  },
  [`${path}.model.fallbacks`]: { "x-kubernetes-list-type": "atomic" },
  [`${path}.egress.allow`]: SET,
  [`${path}.tolerate.failedItems`]: TOLERANCE,
});

const agentWorkload: KindDefinition = {
  kind: "AgentWorkload",
  plural: "agentworkloads",
  shortName: "aw",
  schema: agentWorkloadSchema,
  description: "An AgentWorkload is one run of an AgentPipeline on inputs of its own.",
  columns: [
    { name: "Phase", type: "string", jsonPath: ".status.phase" },
    { name: "Pipeline", type: "string", jsonPath: ".status.pipeline" },
    { name: "Items", type: "string", jsonPath: ".status.items.progress" },
    { name: "Cost", type: "string", jsonPath: ".status.usage.costUsd" },
    { name: "Review", type: "string", jsonPath: '.status.conditions[?(@.type=="Reviewed")].reason' },
    AGE,
  ],
  extensions: {
    ...workloadSpecExtensions("spec"),
    "": {
      "x-kubernetes-validations": [
        {
          rule: `size(self.metadata.name) <= ${MAX_WORKLOAD_NAME}`,
          message: `metadata.name must have at most ${MAX_WORKLOAD_NAME} characters: the Workflow's name adds 11`,
        },
        {
          rule: `!has(self.spec.image) || (${AGENT_NAME_RULE})`,
          message:
            "with image, metadata.name must have at most 40 lower-case letters, digits and dashes, a letter first: its Agent has the same name",
        },
      ],
    },
    "status.conditions": CONDITIONS,
    "status.steps": { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
  },
  notes: `
## What an edit in mid-run does
\`pipeline\`, \`inputs\`, \`image\`, \`resources\`, \`model\`, \`rerun\` and \`compareWith\` identify a run. An edit of these stops the current run and starts another,
which reuses the succeeded steps whose identity (workload, step, revision of the agent, input) is unchanged, runs failed steps again, and
opens its gates again. Reverting the edit returns to the earlier run. The other fields are the terms of the current run, and take effect
in it. A run that failed is tried again when its terms change, \`suspend\` and \`ttlAfterFinished\` excepted; a decision on the same
findings stands. An edit that makes the spec invalid,
or names a pipeline or agent that is not there, stops nothing: the run goes on under the last accepted spec, and the condition \`Accepted\`
says what is wrong.

| field | edit in mid-run |
| --- | --- |
${Object.entries(EDITS)
  .map(([field, effect]) => `| \`spec.${field}\` | ${effect} |`)
  .join("\n")}
`,
};

const agentDecision: KindDefinition = {
  kind: "AgentDecision",
  plural: "agentdecisions",
  shortName: "ad",
  schema: agentDecisionSchema,
  description: "An AgentDecision is a person's decision at a gate of an AgentWorkload, made with kubectl.",
  columns: [
    { name: "Workload", type: "string", jsonPath: ".spec.workload" },
    { name: "Decision", type: "string", jsonPath: ".spec.decision" },
    { name: "By", type: "string", jsonPath: ".spec.by" },
    { name: "Outcome", type: "string", jsonPath: ".status.outcome" },
    AGE,
  ],
  extensions: {
    spec: {
      "x-kubernetes-validations": [
        {
          rule: "self.decision != 'changesRequested' || (has(self.comment) && size(self.comment.trim()) > 0)",
          message: "changesRequested needs a comment: what is to be changed",
        },
        {
          rule: "self.decision == 'changesRequested' || !has(self.steps)",
          message: "steps is only for changesRequested",
        },
      ],
    },
    "spec.steps": SET,
    "spec.corrections[]": {
      "x-kubernetes-validations": [
        {
          rule: "has(self.value) == (self.action == 'correct')",
          message: "value is needed with correct, and only there",
        },
        { rule: "self.action != 'comment' || has(self.comment)", message: "comment is needed with the action comment" },
      ],
    },
  },
  selectable: [".spec.workload"],
  notes: `
## Who may make one
Whoever may \`create\` AgentDecisions and has the verb \`approve\` on the AgentWorkload: the ClusterRole \`agentic-approver\` gives both. A
ValidatingAdmissionPolicy of the API server (\`config/decisions.yaml\`) refuses one in another name than its maker's, and every change of
one. It counts when it is made before the gate's timeout, for findings of this digest; the first counts. The decision is then in
\`status.reviews\` of the workload, with \`how: AgentDecision\`. One that does not count says why in its own status, and leaves an Event
\`DecisionRefused\` on the workload; what the API server refuses is in its audit log.
\`kubectl agentic approve NAME\`, \`kubectl agentic reject NAME\` and \`kubectl agentic changes NAME\` make them.

## Asking for changes
\`decision: changesRequested\` needs a \`comment\`. The steps in \`steps\`, by default those that the gate shows, run again: the comment is part of their
input (\`input.changes\`). What they do not depend on is reused, and so are decisions at gates whose findings stay the same. The gate opens
again, on findings that name the changes. The request is in \`status.changes\`. A spec has at most 10.

## Correcting facts
A decision may strike, correct or comment facts of the findings: those that have an \`id\` in their finding's summary, as
\`kubectl agentic review NAME -o json\` prints them. \`of\` is the value as it was seen; where the findings say something else, the decision does
not count (\`InvalidCorrections\`). Corrections stand in \`status.reviews\` with the decision. After an approval the steps after the gate read them in
its artifact \`decision\`; with \`changesRequested\` the steps that run again have those of their item in \`input.changes\`; with \`rejected\` they
say why. The workload's next review at the gate shows them beside the facts.
`,
};

const agentSchedule: KindDefinition = {
  kind: "AgentSchedule",
  plural: "agentschedules",
  shortName: "asch",
  schema: agentScheduleSchema,
  description:
    "An AgentSchedule makes an AgentWorkload of a template whenever its time comes, as a CronJob makes Jobs.",
  columns: [
    { name: "Schedule", type: "string", jsonPath: ".spec.schedule" },
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: "Last", type: "date", jsonPath: ".status.lastScheduleTime" },
    { name: "Next", type: "string", jsonPath: ".status.nextScheduleTime" },
    AGE,
  ],
  extensions: {
    "": {
      "x-kubernetes-validations": [
        {
          rule: `size(self.metadata.name) <= ${MAX_SCHEDULE_NAME}`,
          message: `metadata.name must have at most ${MAX_SCHEDULE_NAME} characters: the names of its workloads add 9`,
        },
        {
          rule: `!has(self.spec.workloadTemplate.spec.image) || (size(self.metadata.name) <= ${MAX_SCHEDULE_NAME_WITH_IMAGE} && self.metadata.name.matches('^[a-z]'))`,
          message: `with image, metadata.name must have at most ${MAX_SCHEDULE_NAME_WITH_IMAGE} characters, a letter first: each workload has an Agent of its name`,
        },
      ],
    },
    ...workloadSpecExtensions("spec.workloadTemplate.spec"),
    "status.active": SET,
    "status.conditions": CONDITIONS,
  },
  notes: `
## How it runs
A workload is named \`NAME-MINUTES\`, minutes since 1970, of the time that it was due: no time makes two. It belongs to the schedule, has the label
\`agentic.dev/schedule\`, and counts for quotas and the licence like any other. It starts about a minute late at most. Where several times have
passed, the last one counts, as with a CronJob, and with \`startingDeadlineSeconds\` only while that has not passed. With \`Forbid\` it
waits for the workload before it, which also waits while a reviewer has not decided. Where clocks skip an hour, what was to come in it comes
right after; where they repeat one, a fixed time comes once.

Each workload has the one before it that succeeded in \`compareWith\`, unless the template names another: steps with \`previous\` get how they ended
there. That one is kept, whatever the history limits say; results expire with \`ttlAfterFinished\`. Deleting the schedule deletes its workloads.
`,
};

export const KINDS: readonly KindDefinition[] = [agentWorkload, agentPipeline, agent, agentDecision, agentSchedule];
