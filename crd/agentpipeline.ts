import { z } from "zod";
import { API_VERSION, duration, host, jsonSchema, label, metadata, tolerance } from "./fields.ts";

/** The AgentPipeline is a DAG as data. Its type, CRD, reference page and validation all come from this schema. */

const FOR_EACH = /^(inputs\.[a-zA-Z][a-zA-Z0-9_]*|steps\.[a-z]([-a-z0-9]*[a-z0-9])?\.items)$/;
const gateSchema = z.strictObject({
  show: z
    .array(label)
    .max(16)
    .optional()
    .describe("Steps whose summaries the reviewer sees. Absent: those of `after`."),
  timeout: duration.optional().describe("How long the gate waits. Absent: the workload's review.timeout."),
  onTimeout: z
    .enum(["Approve", "Reject"])
    .optional()
    .describe("Decision when nobody has decided in time. Absent: the workload's review.onTimeout."),
});

export const pipelineStepSchema = z.strictObject({
  name: label.describe("Unique in the pipeline."),
  agent: label
    .optional()
    .describe(
      "The Agent that does the step, looked up in the pipeline's namespace, then in agentic-system. Exactly one of agent and gate.",
    ),
  gate: gateSchema.optional().describe("A person decides whether the run continues. Exactly one of agent and gate."),
  after: z
    .array(label)
    .max(32)
    .default([])
    .describe("Steps that must end before this one starts. Their results are its input."),
  forEach: z
    .string()
    .max(120)
    .regex(FOR_EACH, "expected inputs.LIST or steps.NAME.items")
    .optional()
    .describe(
      "Run once for each entry of a list: of an input (inputs.LIST), or of the items that an earlier step returned (steps.NAME.items).",
    ),
  when: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe(
      "CEL expression over inputs, steps and item. The step is skipped if it is false. Example: steps.check.data.ok && inputs.deep.",
    ),
  with: z
    .array(z.string().max(63))
    .max(32)
    .default([])
    .describe("Inputs, and `model`, that its result depends on. The step gets them, and runs again when they change."),
  previous: z
    .boolean()
    .optional()
    .describe(
      "True: the step also gets how it ended on the same item in the run that the workload's run is compared with (compareWith, rerun).",
    ),
  timeout: duration.optional().describe("Deadline for one item. Absent: the workload's deadlines."),
  retry: z
    .strictObject({
      limit: z
        .int()
        .min(0)
        .max(20)
        .describe("Retries after a temporary failure. The workload's limit applies as well."),
    })
    .optional()
    .describe("Retry policy."),
  tolerate: z
    .strictObject({
      failedItems: tolerance.describe("A number or a percentage. The workload's tolerance applies as well."),
    })
    .optional()
    .describe("How many items may fail at this step before the run fails."),
  optional: z
    .boolean()
    .optional()
    .describe(
      "Its failures never fail the run, and the steps after it start all the same. A list over which only optional steps run is cut to what fits in the run, the first item of each result first. A spent budget ends the run nevertheless.",
    ),
  maxItems: z
    .int()
    .min(1)
    .max(500)
    .optional()
    .describe("The most items that it returns at once: it fails with more. Absent: 500. Quotes count with it."),
  egress: z
    .strictObject({
      item: z.boolean().default(false).describe("Also the host of the item's URL, with and without www."),
      allow: z
        .array(host)
        .max(100)
        .optional()
        .describe("Only these of the hosts that the workload allows. Absent: all of them."),
    })
    .optional()
    .describe("Hosts that the step may reach through the egress proxy. Absent: none."),
  hostAccess: z
    .boolean()
    .optional()
    .describe(
      "True: the step also gets what the workload's namespace holds for the host of its item, in its Secret agentic-host-access: headers, cookies, a proxy. Needs egress.item.",
    ),
});
export type PipelineStep = z.infer<typeof pipelineStepSchema>;

export const pipelineSpecSchema = z
  .strictObject({
    description: z.string().max(1000).optional().describe("What the pipeline does, in one sentence."),
    inputs: z
      .strictObject({
        schema: jsonSchema.describe("JSON Schema (2020-12) of a workload's inputs. Its type must be object."),
      })
      .default({ schema: { type: "object" } })
      .describe("Inputs that a workload passes."),
    steps: z
      .array(pipelineStepSchema)
      .min(1, "at least one step is needed")
      .max(64, "at most 64 steps")
      .describe("The DAG."),
    output: label.optional().describe("Step whose artifacts are the run's outputs. Absent: the last step."),
  })
  .describe("Desired state.");
export type PipelineSpec = z.infer<typeof pipelineSpecSchema>;

export const agentPipelineSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION, `expected "${API_VERSION}"`),
  kind: z.literal("AgentPipeline", 'expected "AgentPipeline"'),
  metadata: metadata(),
  spec: pipelineSpecSchema,
});
export type AgentPipeline = z.infer<typeof agentPipelineSchema>;
