import { z } from "zod";
import {
  API_VERSION,
  condition,
  duration,
  image,
  isRecord,
  jsonSchema,
  label,
  metadata,
  objectName,
  resources,
} from "./fields.ts";

/** The Agent does steps. Its type, CRD, reference page and validation all come from this schema. */

const refName = objectName.describe("Name of the object.");
const optional = z.boolean().optional().describe("Whether the container also starts without it.");
const keyRef = z.strictObject({ name: refName, key: z.string().max(253).describe("Key in the object."), optional });
const sourceRef = z.strictObject({ name: refName, optional });

const containerShape = {
  command: z
    .array(z.string().max(4096))
    .max(64)
    .optional()
    .describe("Replaces the image's entrypoint. Only with image."),
  args: z.array(z.string().max(4096)).max(64).optional().describe("Arguments of the command. Only with image."),
  env: z
    .array(
      z.strictObject({
        name: z
          .string()
          .max(253)
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable")
          .describe("Name of the variable."),
        value: z.string().max(32_768).optional().describe("Value of the variable; $(NAME) refers to an earlier one."),
        valueFrom: z
          .strictObject({
            secretKeyRef: keyRef.optional().describe("Key of a Secret in the Agent's namespace."),
            configMapKeyRef: keyRef.optional().describe("Key of a ConfigMap in the Agent's namespace."),
          })
          .optional()
          .describe("Source of the value, instead of value."),
      }),
    )
    .max(100)
    .optional()
    .describe("Environment variables. Only with image."),
  envFrom: z
    .array(
      z.strictObject({
        secretRef: sourceRef.optional().describe("A Secret in the Agent's namespace."),
        configMapRef: sourceRef.optional().describe("A ConfigMap in the Agent's namespace."),
      }),
    )
    .max(16)
    .optional()
    .describe("Secrets and ConfigMaps whose every key becomes an environment variable. Only with image."),
  resources: resources.optional().describe("Resources of the container. Only with image."),
  scale: z
    .strictObject({
      min: z.int().min(0).max(100).default(0).describe("Instances that stay when there is nothing to do."),
      max: z.int().min(1).max(100).default(4).describe("Instances at most."),
    })
    .optional()
    .describe("Bounds of the instances, each with `concurrency` steps at once. Absent: 0 to 4. Only with image."),
};

export const agentSpecSchema = z
  .strictObject({
    service: z
      .strictObject({
        name: objectName.describe("A Knative Service that speaks the step contract."),
        namespace: objectName
          .optional()
          .describe("Its namespace. Absent: the Agent's. Only shared Agents may name another."),
      })
      .optional()
      .describe("A Knative Service that already runs. Exactly one of service, uri and image."),
    uri: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional()
      .describe(
        "Address of anything that speaks the step contract: a public host, or a service of the Agent's namespace; shared Agents may name any. Exactly one of service, uri and image.",
      ),
    image: image
      .optional()
      .describe(
        "Image that reconcile runs as a Knative Service, which scales to zero. Exactly one of service, uri and image.",
      ),
    ...containerShape,
    output: z
      .strictObject({
        schema: jsonSchema.describe(
          "JSON Schema (2020-12) of a result's data. A result that does not match fails its step.",
        ),
      })
      .optional()
      .describe("Contract of its results."),
    concurrency: z.int().min(1).max(1000).default(8).describe("Steps that one instance runs at once. Only with image."),
    timeout: duration
      .default("5m")
      .describe("Limit of one request. Only with image; Knative allows at most 10m unless its operator raises that."),
    startAhead: z
      .boolean()
      .default(false)
      .describe(
        "Start an instance as soon as a workload is created. For agents of first steps, which then begin about a second earlier.",
      ),
  })
  .describe("Desired state.");
export type AgentSpec = z.infer<typeof agentSpecSchema>;

/** Runs beside other problems of the spec, so that a user sees all of them at once. */
function checkSpec(spec: AgentSpec, context: z.core.$RefinementCtx<AgentSpec>): void {
  const given = (["service", "uri", "image"] as const).filter((field) => spec[field] !== undefined);
  if (given.length !== 1)
    context.addIssue({
      code: "custom",
      path: given.slice(1, 2),
      message: `needs exactly one of service, uri and image${given.length === 0 ? "" : `, has ${given.join(" and ")}`}`,
    });
  if (spec.scale && spec.scale.min > spec.scale.max)
    context.addIssue({ code: "custom", path: ["scale", "min"], message: "is above max" });
  if (spec.image !== undefined) return;
  for (const field of Object.keys(containerShape) as (keyof typeof containerShape)[])
    if (spec[field] !== undefined)
      context.addIssue({ code: "custom", path: [field], message: "is only for an agent with image" });
}

export const AGENT_CONDITIONS = ["Ready"] as const;

export const agentStatusSchema = z
  .strictObject({
    url: z.string().describe("Address that requests are sent to."),
    revision: z
      .string()
      .describe("Part of the identity of its steps: a new revision never reuses the results of an old one."),
    conditions: z.array(condition(AGENT_CONDITIONS)).describe("Ready: whether steps can be sent to it, or why not."),
  })
  .partial()
  .describe("Observed state.");
export type AgentStatus = z.infer<typeof agentStatusSchema>;

export const agentSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION, `expected "${API_VERSION}"`),
  kind: z.literal("Agent", 'expected "Agent"'),
  metadata: metadata(label),
  spec: agentSpecSchema.superRefine(checkSpec, { when: isRecord }),
  status: agentStatusSchema.optional(),
});
export type Agent = z.infer<typeof agentSchema>;
