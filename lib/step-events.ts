import { CloudEvent } from "cloudevents";
import { z } from "zod";
import { stepIdentity } from "../engine/identity.ts";
import { type Item, type StepResult, stepInputSchema, stepResultSchema, workloadRefSchema } from "../engine/result.ts";
import { TerminalError } from "./errors.ts";
import { schemaProblems } from "./schema-problems.ts";

/**
 * The events of the step contract (docs/ARCHITECTURE.md): whoever runs a pipeline sends them, agents answer them. They are built
 * and read here and nowhere else. Extension attributes: `agent` (NAMESPACE.NAME, what a Trigger filters on) and `step`.
 */
export const STEP_REQUESTED = "dev.agentic.step.requested";
export const STEP_COMPLETED = "dev.agentic.step.completed";
/** Requests of this agent will come: it starts meanwhile. */
export const STEP_EXPECTED = "dev.agentic.step.expected";
/** Knative's, of a new AgentWorkload. */
export const WORKLOAD_ADDED = "dev.knative.apiserver.ref.add";
/** An agent answers these with an empty 200: it has started, which is all they ask for. */
export const HINTS: ReadonlySet<string> = new Set([STEP_EXPECTED, WORKLOAD_ADDED]);

/**
 * Agents outlive versions: one that was built with an earlier package reads requests of today. So a request may come to have more fields
 * than these; `input` may not, for the identity covers it, and who does not know a field would compute another.
 */
const requestSchema = z.object({
  workload: workloadRefSchema,
  /** The run's hash (engine/identity.ts). */
  run: z.string().min(1),
  step: z.string().min(1),
  /** The agent's revision that the run froze. */
  revision: z.string(),
  input: stepInputSchema,
  /** A JWT with stepClaims (lib/token.ts): covers the input by the identity, the deadline and the retry limit. */
  token: z.string(),
  /** The password to the egress proxy: a JWT that says the job's allow-list, and for the proxy alone by which proxies hosts are reached. */
  egressToken: z.string(),
  /** What the agent shows to single hosts: a JWE to its key (lib/sealed-access.ts). Its claims say that there is one. */
  hostAccess: z.string().optional(),
});
/** `data` of a step.requested event. */
export type StepRequest = z.infer<typeof requestSchema>;
/** What a request asks for: without what permits it. */
export type UnsignedRequest = Omit<StepRequest, "token" | "egressToken" | "hostAccess">;

/** `data` of a step.completed event. `token`: an agent that keeps no records of its own sends the request's back, as proof. */
const completedSchema = stepResultSchema.extend({ request: z.string(), token: z.string().optional() });

/** An agent as events name it. */
export interface AgentRef {
  readonly namespace: string;
  readonly name: string;
}

type StepOf = Pick<StepRequest, "workload" | "run" | "step">;

/** namespace/name/step/item, for people and logs. */
export function subjectOf({ workload, step }: Omit<StepOf, "run">, item?: Item): string {
  const { namespace, name } = workload;
  const what = item === undefined ? [] : [typeof item === "string" ? item : JSON.stringify(item)];
  return [namespace, name, step, ...what].join("/");
}

/** The value of the attribute `agent`. */
export function agentAttribute({ namespace, name }: AgentRef): string {
  return `${namespace}.${name}`;
}

/** The request's identity, which is the event's id. */
export function identityOfRequest({ workload, step, revision, input }: UnsignedRequest): string {
  return stepIdentity({ workload, step, revision, input });
}

/** Extension attributes that say where a step's spans belong. Like everything beside `data` they are not signed, and decide nothing. */
export interface TraceAttributes {
  /** W3C Trace Context. */
  readonly traceparent?: string;
  /** The run's pipeline: namespace/name. */
  readonly pipeline?: string;
}

export function stepRequested(
  request: StepRequest,
  { agent, source, ...trace }: { agent: AgentRef; source: string } & TraceAttributes,
): CloudEvent<StepRequest> {
  return new CloudEvent<StepRequest>({
    id: identityOfRequest(request),
    type: STEP_REQUESTED,
    source,
    subject: subjectOf(request, request.input.item),
    datacontenttype: "application/json",
    agent: agentAttribute(agent),
    step: request.step,
    ...trace,
    data: request,
  });
}

/** @throws TerminalError WrongType, InvalidRequest; InvalidToken when its id is not that of its content */
export function parseStepRequested(event: CloudEvent<unknown>): { identity: string; request: StepRequest } {
  if (event.type !== STEP_REQUESTED)
    throw new TerminalError("WrongType", `expected an event of type ${STEP_REQUESTED}, got ${event.type}`);
  const parsed = requestSchema.safeParse(event.data);
  if (!parsed.success) throw new TerminalError("InvalidRequest", schemaProblems(parsed.error));
  const { workload, input } = parsed.data;
  // Shared agents read every namespace's bytes.
  if (input.previous && input.previous.workload.namespace !== workload.namespace)
    throw new TerminalError("InvalidRequest", "the previous result in the input is of another namespace's workload");
  const identity = identityOfRequest(parsed.data);
  if (identity !== event.id)
    throw new TerminalError("InvalidToken", "the event's id does not belong to its content: its input was changed");
  return { identity, request: parsed.data };
}

export function stepExpected(
  { workload, run, step }: StepOf,
  { agent, source }: { agent: AgentRef; source: string },
): CloudEvent<unknown> {
  return new CloudEvent<unknown>({
    id: `${run}-${step}-expected`,
    type: STEP_EXPECTED,
    source,
    subject: subjectOf({ workload, step }),
    datacontenttype: "application/json",
    agent: agentAttribute(agent),
    step,
    data: { workload, run },
  });
}

/** The answer to a request, structured. Without `time`: the same request has the same bytes for an answer, whenever it is asked. */
export function stepCompleted(
  identity: string,
  request: StepRequest,
  result: StepResult,
): { headers: Record<string, string>; body: string } {
  const event = {
    specversion: "1.0",
    id: `${identity}-completed`,
    type: STEP_COMPLETED,
    source: `/agents/${request.step}`,
    subject: subjectOf(request, request.input.item),
    datacontenttype: "application/json",
    data: { request: identity, ...result },
  };
  return { headers: { "content-type": "application/cloudevents+json" }, body: JSON.stringify(event) };
}

export interface Completed {
  /** The identity of the request that it answers. */
  readonly identity: string;
  readonly result: StepResult;
  readonly token?: string;
}

/** @throws TerminalError WrongType, InvalidResult: with what is wrong, for the workload's status */
export function parseStepCompleted(event: CloudEvent<unknown>): Completed {
  if (event.type !== STEP_COMPLETED)
    throw new TerminalError("WrongType", `expected an event of type ${STEP_COMPLETED}, got ${event.type}`);
  const parsed = completedSchema.safeParse(event.data);
  if (!parsed.success) throw new TerminalError("InvalidResult", schemaProblems(parsed.error));
  const { request: identity, token, ...result } = parsed.data;
  return { identity, result, ...(token === undefined ? {} : { token }) };
}

/** Which workload an event of a step is about, by its subject. */
export function workloadOfSubject(subject: string | undefined): { namespace: string; name: string } | undefined {
  const [namespace, name] = (subject ?? "").split("/");
  return namespace && name ? { namespace, name } : undefined;
}
