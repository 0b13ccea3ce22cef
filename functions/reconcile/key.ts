import type { CloudEvent } from "cloudevents";
import { z } from "zod";
import { REVIEW_DECIDED } from "../../engine/findings.ts";
import type { ObjectRef } from "../../lib/edges/kube.ts";
import { schemaProblems } from "../../lib/schema-problems.ts";
import { STEP_COMPLETED, STEP_EXPECTED, STEP_REQUESTED, workloadOfSubject } from "../../lib/step-events.ts";

/** What an event is about. All that can be looked at is looked at anew; nothing of an event is believed that is not signed. */
export type Key =
  /** `debounce`: others of its kind follow closely. */
  | { readonly of: "workload"; readonly ref: ObjectRef; readonly debounce?: boolean }
  | { readonly of: "agent"; readonly ref: ObjectRef }
  /** Somebody decided at a gate. */
  | { readonly of: "decision"; readonly ref: ObjectRef }
  | { readonly of: "schedule"; readonly ref: ObjectRef }
  /** A pipeline changed: workloads may wait for it. */
  | { readonly of: "pipeline" }
  | { readonly of: "all" }
  /** A step ended; the event has its result. */
  | { readonly of: "completed"; readonly ref: ObjectRef }
  /** A step's request that the Broker gave up on. */
  | { readonly of: "deadLetter"; readonly ref: ObjectRef; readonly why: string }
  | { readonly of: "nothing"; readonly why: string };

/** ApiServerSource in Reference mode: one type for each change. */
const REFERENCE = /^dev\.knative\.apiserver\.ref\.(add|update|delete)$/;
const PING = "dev.knative.sources.ping";

const referenceSchema = z.looseObject({ kind: z.string(), namespace: z.string(), name: z.string() });
const decidedSchema = z.object({ namespace: z.string(), name: z.string() });

/** `workloadOf`: the workload's name in a run object's (run-engine.ts). */
export function keyOf(event: CloudEvent<unknown>, workloadOf: (name: string) => string | undefined): Key {
  if (event.type === PING) return { of: "all" };
  if (REFERENCE.test(event.type)) return keyOfReference(event.data, workloadOf);
  if (event.type === REVIEW_DECIDED) {
    // It is approve's; the change that it makes comes next, and finds reconcile awake.
    const parsed = decidedSchema.safeParse(event.data);
    return parsed.success
      ? { of: "workload", ref: parsed.data }
      : { of: "nothing", why: "the decision names no workload" };
  }
  if (event.type !== STEP_COMPLETED && event.type !== STEP_EXPECTED && event.type !== STEP_REQUESTED)
    return { of: "nothing", why: `reconcile takes no events of type ${event.type}` };
  const ref = workloadOfSubject(event.subject);
  if (!ref) return { of: "nothing", why: "the subject does not name a workload: namespace/name/step/item" };
  if (event.type === STEP_COMPLETED) return { of: "completed", ref };
  // A hint that came back: a look sees what it is about, requests that nobody takes up.
  if (event.type === STEP_EXPECTED) return { of: "workload", ref };
  return { of: "deadLetter", ref, why: whyUndelivered(event) };
}

function keyOfReference(data: unknown, workloadOf: (name: string) => string | undefined): Key {
  const parsed = referenceSchema.safeParse(data);
  if (!parsed.success) return { of: "nothing", why: `no object reference: ${schemaProblems(parsed.error)}` };
  const { kind, namespace, name } = parsed.data;
  switch (kind) {
    case "AgentWorkload":
      return { of: "workload", ref: { namespace, name } };
    case "Workflow": {
      const workload = workloadOf(name);
      return workload === undefined
        ? { of: "nothing", why: `${name} is no Workflow of a workload` }
        : { of: "workload", ref: { namespace, name: workload } };
    }
    case "Agent":
    // Knative's, of an Agent by image: it has the Agent's name.
    case "Service":
      return { of: "agent", ref: { namespace, name } };
    case "AgentDecision":
      return { of: "decision", ref: { namespace, name } };
    case "AgentSchedule":
      return { of: "schedule", ref: { namespace, name } };
    case "AgentPipeline":
      return { of: "pipeline" };
    default:
      return { of: "nothing", why: `reconcile looks at no ${kind}` };
  }
}

/** As Knative's delivery says it, in extensions of the event. */
function whyUndelivered(event: CloudEvent<unknown>): string {
  const code = event["knativeerrorcode"];
  const data = typeof event["knativeerrordata"] === "string" ? event["knativeerrordata"] : "";
  return [code === undefined ? "no answer" : `HTTP ${code}`, readable(data)].filter(Boolean).join(": ");
}

/** Knative gives the answer's body in base64. */
function readable(data: string): string {
  const text = Buffer.from(data, "base64").toString("utf8");
  return /^[\x20-\x7e\s]*$/.test(text) ? text.trim().slice(0, 200) : "";
}
