import { logs, SeverityNumber } from "@opentelemetry/api-logs";
import type { Logger } from "../log.ts";
import { maskSecrets } from "../secrets.ts";
import { ATTRIBUTE } from "./attributes.ts";

/** The scope of audit records, by which a receiver tells them from other logs. */
export const AUDIT_SCOPE = "audit";

/** What a record may say, and nothing else: no token, no cookie, no comment, no text of a page or a model. */
export const AUDIT_ATTRIBUTE = {
  "user.name":
    "Who. Of `object.*` and of decisions by AgentDecision: as the API server knows them. Of others: as `agentic.decision.how` says.",
  "k8s.namespace.name": "Namespace of the object.",
  "agentic.object.kind": "`AgentWorkload`, `AgentPipeline`, `Agent`, `AgentSchedule` or `AgentDecision`.",
  "agentic.object.name": "Name of the object; with `generateName` what it begins with.",
  "agentic.dry_run": "True: nothing would have been made.",
  [ATTRIBUTE.namespace]: "Namespace of the workload that it is about.",
  [ATTRIBUTE.workload]: "Name of that workload.",
  [ATTRIBUTE.uid]: "Its uid.",
  [ATTRIBUTE.step]: "The gate.",
  [ATTRIBUTE.identity]: "The step whose egress token it was. It begins with the workload's namespace.",
  [ATTRIBUTE.outcome]: "`approved`, `rejected` or `changesRequested`.",
  [ATTRIBUTE.decidedHow]:
    "`ReviewLink`, `CommandLine`, `AgentDecision`; `Setting`, `Timeout` or `Argo` where no person was asked.",
  [ATTRIBUTE.automatic]: "True where no person was asked.",
  "agentic.findings.digest": "sha256 of the findings that were decided on.",
  "agentic.decision.corrections": "How many facts of the findings the decision strikes, corrects or comments.",
  [ATTRIBUTE.reason]: "Why not, in CamelCase.",
  "agentic.message": "The same as a sentence, of at most 500 characters, without keys, tokens and passwords.",
  "url.path": "The page that was asked for.",
  "server.address": "The host that was asked for.",
  "server.port": "Its port.",
  "agentic.key.use": "`step tokens`, `review links`, `evidence`, or the Secret of a certificate.",
  "agentic.key.id": "The key that signs from now on: its `kid`, or the SHA-256 fingerprint of the certificate.",
  "agentic.key.previous": "The one that did before, where that is known.",
  "agentic.key.accepted": "All whose signatures count.",
  "tls.server.not_after": "When the certificate ends.",
} as const;
type AuditAttribute = keyof typeof AUDIT_ATTRIBUTE;
type Value = string | number | boolean | readonly string[] | undefined;

/** An event of the list below. */
export interface AuditEvent<A extends AuditAttribute = AuditAttribute> {
  readonly name: string;
  readonly level: "info" | "warn";
  /** What its log line says. */
  readonly title: string;
  readonly description: string;
  readonly saidBy: readonly string[];
  readonly attributes: readonly A[];
  /** Says it, once and for all: in the process's own log, and to a receiver of OTLP where there is one. Waits for nothing, and fails nobody. */
  record(log: Logger, attributes: { readonly [name in A]?: Value }): void;
}

function event<const A extends AuditAttribute>(about: Omit<AuditEvent<A>, "record">): AuditEvent<A> {
  const { name, level, title } = about;
  return {
    ...about,
    record(log, given) {
      const attributes = bounded(given);
      lineOf(log)[level]({ audit: true, event: name, ...attributes }, title);
      logs.getLogger(AUDIT_SCOPE).emit({
        eventName: name,
        severityNumber: level === "warn" ? SeverityNumber.WARN : SeverityNumber.INFO,
        severityText: level.toUpperCase(),
        body: title,
        attributes,
      });
    },
  };
}

/** LOG_LEVEL leaves none of it out. `silent` is for commands, which have no log. */
function lineOf(log: Logger): Logger {
  return log.level === "silent" ? log : log.child({}, { level: "info" });
}

/** Free text: its words may be those of a spec. */
const MESSAGE = "agentic.message";
const MAX_TEXT = 500;
/** What of a text is looked through for secrets: one that the end cuts is seen before it is cut. */
const MAX_READ = 4 * MAX_TEXT;
const MAX_LIST = 20;

function bounded(given: { readonly [name: string]: Value }): Record<string, string | number | boolean | string[]> {
  const attributes: Record<string, string | number | boolean | string[]> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "string")
      attributes[name] = cut(name === MESSAGE ? maskSecrets(value.slice(0, MAX_READ)) : value);
    else if (typeof value === "object") attributes[name] = value.slice(0, MAX_LIST).map(cut);
    else if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

const cut = (text: string): string => text.slice(0, MAX_TEXT);

const OBJECT = ["user.name", "agentic.object.kind", "k8s.namespace.name", "agentic.object.name"] as const;
const WORKLOAD = [ATTRIBUTE.namespace, ATTRIBUTE.workload] as const;
const DECISION = [
  ...WORKLOAD,
  ATTRIBUTE.step,
  "user.name",
  ATTRIBUTE.decidedHow,
  ATTRIBUTE.outcome,
  "agentic.findings.digest",
  "agentic.decision.corrections",
] as const;

/** All that is audited. docs/reference/audit.md is made of it. */
export const AUDIT = {
  created: event({
    name: "agentic.audit.object.created",
    level: "info",
    title: "object created",
    description:
      "Somebody's new object was let in, or reconcile made the workload whose time had come (AgentSchedule).",
    saidBy: ["admit", "reconcile"],
    attributes: [...OBJECT, ...WORKLOAD],
  }),
  changed: event({
    name: "agentic.audit.object.changed",
    level: "info",
    title: "object changed",
    description: "Somebody's change of a spec was let in.",
    saidBy: ["admit"],
    attributes: [...OBJECT, ...WORKLOAD],
  }),
  deleted: event({
    name: "agentic.audit.object.deleted",
    level: "info",
    title: "object deleted",
    description:
      "Somebody deletes an object, or reconcile a schedule's workload beyond the history limits, or in place of which another starts.",
    saidBy: ["admit", "reconcile"],
    attributes: [...OBJECT, ...WORKLOAD],
  }),
  refused: event({
    name: "agentic.audit.object.refused",
    level: "info",
    title: "object refused",
    description:
      "An object, or a change of one, was refused: it is wrong, or the namespace's quota cannot ever hold it.",
    saidBy: ["admit"],
    attributes: [...OBJECT, ...WORKLOAD, "agentic.message", "agentic.dry_run"],
  }),
  decisionMade: event({
    name: "agentic.audit.decision.made",
    level: "info",
    title: "review decision",
    description: "A decision by a review's link is in the workload's status. One that is sent twice is recorded twice.",
    saidBy: ["approve"],
    attributes: DECISION,
  }),
  decisionCounted: event({
    name: "agentic.audit.decision.counted",
    level: "info",
    title: "decision counted",
    description:
      "A decision that came by no link is in the workload's status: by an AgentDecision, a setting or a timeout.",
    saidBy: ["reconcile"],
    attributes: [...DECISION, ATTRIBUTE.automatic],
  }),
  decisionDenied: event({
    name: "agentic.audit.decision.denied",
    level: "warn",
    title: "decision denied",
    description: "A decision does not count: it came too late, on other findings, or asks for what cannot be done.",
    saidBy: ["approve", "reconcile"],
    attributes: [...DECISION, ATTRIBUTE.reason, "agentic.message"],
  }),
  gateTampered: event({
    name: "agentic.audit.gate.tampered",
    level: "warn",
    title: "gate tampered with",
    description: "A gate's node was settled in Argo, and nobody decided so: the run fails.",
    saidBy: ["reconcile"],
    attributes: [...WORKLOAD, ATTRIBUTE.reason, "agentic.message"],
  }),
  accessDenied: event({
    name: "agentic.audit.access.denied",
    level: "warn",
    title: "access denied",
    description:
      "Somebody asked for a review without its link, for an artifact that is not there, for a step with a token that is not valid, or for runs or usage that they may not read.",
    saidBy: ["approve", "artifacts", "reconcile", "agents", "runs"],
    attributes: [
      ...WORKLOAD,
      ATTRIBUTE.uid,
      ATTRIBUTE.step,
      "user.name",
      "url.path",
      ATTRIBUTE.reason,
      "agentic.message",
    ],
  }),
  egressRefused: event({
    name: "agentic.audit.egress.refused",
    level: "info",
    title: "egress refused",
    description: "The egress proxy refused a step's request. Said once for each step, host and reason.",
    saidBy: ["egress"],
    attributes: [ATTRIBUTE.identity, "server.address", "server.port", ATTRIBUTE.reason, "agentic.message"],
  }),
  keyChanged: event({
    name: "agentic.audit.key.changed",
    level: "info",
    title: "key changed",
    description:
      "Reconcile started with other keys than before, or, where Redis lost what it knew, with these; or admit made a certificate.",
    saidBy: ["reconcile", "admit"],
    attributes: [
      "agentic.key.use",
      "agentic.key.id",
      "agentic.key.previous",
      "agentic.key.accepted",
      "tls.server.not_after",
    ],
  }),
} as const;
