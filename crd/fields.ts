import { z } from "zod";
import { DURATION_PATTERN, parseDuration } from "./duration.ts";

/** Fields that several kinds share. `kubectl explain` shows the descriptions. */
export const API_VERSION = "agentic.dev/v1alpha1";

export const duration = z
  .string()
  .max(64)
  .regex(new RegExp(DURATION_PATTERN), { error: "expected a duration such as 90s, 3m, 24h or 30d", abort: true })
  .refine(fitsDuration, "expected at most 3650d");

function fitsDuration(text: string): boolean {
  try {
    return parseDuration(text) >= 0;
  } catch {
    return false;
  }
}

export const decimal = z
  .string()
  .regex(/^[0-9]{1,9}(\.[0-9]{1,6})?$/, 'expected a decimal number in quotes, such as "0.10"');

/** RFC 1123 label and subdomain, as Kubernetes has them. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME_FORM = "expected lower-case letters, digits and dashes";

export const objectName = z.string().max(63).regex(subdomain, NAME_FORM);

/** An RFC 1035 label, shorter than Kubernetes allows: names of steps, and of Agents, whose Knative Services have the same name. */
export const label = z
  .string()
  .max(40, "expected at most 40 characters")
  .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, "expected lower-case letters, digits and dashes, a letter first");

export const host = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*(:[1-9][0-9]{0,4})?$/,
    'expected a host name, such as cdn.example.com, "*.example.com" or cdn.example.com:8443',
  );

export const image = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$/, "expected an image reference");

const quantities = z.record(z.string(), z.string().max(32));
export const resources = z.strictObject({
  requests: quantities.optional().describe("Resources reserved for the container, as in a pod."),
  limits: quantities.optional().describe("Most that the container may use, as in a pod."),
});

const TOLERANCE_FORM = 'expected a number from 0 to 500 or a percentage such as "20%"';
export const tolerance = z.union(
  [
    z.int(TOLERANCE_FORM).min(0, TOLERANCE_FORM).max(500, TOLERANCE_FORM),
    z.string().regex(/^([0-9]|[1-9][0-9]|100)%$/, TOLERANCE_FORM),
  ],
  TOLERANCE_FORM,
);

/** A JSON Schema, 2020-12. The API server does not prune it. */
export const jsonSchema = z.record(z.string(), z.unknown());

/** `name`: the schema of the object's name. */
export function metadata(name: z.ZodType<string, string> = objectName) {
  return z.looseObject({
    name,
    namespace: objectName.default("default"),
    uid: z.string().optional(),
    generation: z.int().optional(),
  });
}

export const condition = <T extends string>(types: readonly [T, ...T[]]) =>
  z.strictObject({
    type: z.enum(types).describe("Name of the condition."),
    status: z.enum(["True", "False", "Unknown"]).describe("Whether the condition is met."),
    reason: z.string().max(1024).describe("Why, as one CamelCase word."),
    message: z.string().max(32_768).describe("Why, and what to do about it."),
    lastTransitionTime: z.iso.datetime().describe("When the status last changed."),
    observedGeneration: z.int().optional().describe("Generation of the spec that was evaluated."),
  });

/** For checks across fields, which run whether the fields themselves are valid or not. */
export function isRecord({ value }: { readonly value: unknown }): boolean {
  return typeof value === "object" && value !== null;
}
