import type { CloudEvent } from "cloudevents";
import { z } from "zod";
import type { ObjectRef } from "../../lib/edges/kube.ts";
import { STEP_COMPLETED, STEP_EXPECTED, STEP_REQUESTED } from "../../lib/step.ts";
import { REVIEW_DECIDED } from "../../pipeline/findings.ts";
import { workloadOfWorkflow } from "./workflow.ts";

/** What an event is about. Its content is never used: everything is looked at anew. */
export type Key =
  /** `inFlock`: steps that started together end together. */
  | { readonly of: "one"; readonly ref: ObjectRef; readonly inFlock?: boolean }
  | { readonly of: "all" }
  /** A step's request that the Broker gave up on. */
  | { readonly of: "deadLetter"; readonly ref: ObjectRef; readonly identity: string; readonly why: string }
  | { readonly of: "nothing"; readonly why: string };

/** ApiServerSource in Reference mode: one type for each change. */
const REFERENCE = /^dev\.knative\.apiserver\.ref\.(add|update|delete)$/;
const STEP_EVENTS = new Set([STEP_COMPLETED, STEP_EXPECTED, STEP_REQUESTED]);
const PING = "dev.knative.sources.ping";

const referenceSchema = z.looseObject({ kind: z.string(), namespace: z.string(), name: z.string() });

const decidedSchema = z.object({ namespace: z.string(), name: z.string() });

export function keyOf(event: CloudEvent<unknown>): Key {
  if (event.type === PING) return { of: "all" };
  if (REFERENCE.test(event.type)) {
    const parsed = referenceSchema.safeParse(event.data);
    if (!parsed.success) return { of: "nothing", why: `no object reference: ${z.prettifyError(parsed.error)}` };
    const { kind, namespace, name } = parsed.data;
    const workload = kind === "Workflow" ? workloadOfWorkflow(name) : name;
    if (workload === undefined) return { of: "nothing", why: `${name} is no Workflow of ours` };
    return { of: "one", ref: { namespace, name: workload } };
  }
  if (event.type === REVIEW_DECIDED) {
    // It is approve's; the change that it makes comes next, and finds reconcile awake.
    const parsed = decidedSchema.safeParse(event.data);
    return parsed.success ? { of: "one", ref: parsed.data } : { of: "nothing", why: "the decision names no workload" };
  }
  if (STEP_EVENTS.has(event.type)) {
    const [namespace, name] = (event.subject ?? "").split("/");
    if (!namespace || !name)
      return { of: "nothing", why: "the subject does not name a workload: namespace/name/step/item" };
    const ref = { namespace, name };
    if (event.type === STEP_COMPLETED) return { of: "one", ref, inFlock: true };
    // A hint that came back: a look sees what it is about, requests that nobody takes up.
    if (event.type === STEP_EXPECTED) return { of: "one", ref };
    return { of: "deadLetter", ref, identity: event.id, why: whyUndelivered(event) };
  }
  return { of: "nothing", why: `reconcile takes no events of type ${event.type}` };
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
