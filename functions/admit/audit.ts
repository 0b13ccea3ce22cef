import type { Logger } from "../../lib/log.ts";
import { ATTRIBUTE } from "../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../lib/telemetry/audit.ts";
import type { AdmittedObject, Asked } from "./admission-review.ts";

const LET_IN = { CREATE: AUDIT.created, UPDATE: AUDIT.changed, DELETE: AUDIT.deleted } as const;

/** Says who did what to an object. Of a dry run nothing was done. */
export function auditLetIn(log: Logger, operation: keyof typeof LET_IN, object: AdmittedObject, asked: Asked): void {
  if (!asked.dryRun) LET_IN[operation].record(log, about(object, asked));
}

/** Says who was refused what, and why: also in a dry run, in which most try what they may. */
export function auditRefused(log: Logger, problems: readonly string[], object: AdmittedObject, asked: Asked): void {
  const dryRun = asked.dryRun ? { "agentic.dry_run": true } : {};
  AUDIT.refused.record(log, { ...about(object, asked), "agentic.message": problems.join("\n"), ...dryRun });
}

function about({ kind, metadata, ["spec"]: spec }: AdmittedObject, { userInfo }: Asked) {
  const namespace = text(metadata["namespace"]);
  const name = text(metadata["name"]) ?? text(metadata["generateName"]);
  const workload = kind === "AgentDecision" ? text((spec as { workload?: unknown } | undefined)?.workload) : name;
  const ofWorkload = kind === "AgentWorkload" || kind === "AgentDecision";
  return {
    "user.name": userInfo?.username,
    "agentic.object.kind": kind,
    "k8s.namespace.name": namespace,
    "agentic.object.name": name,
    ...(ofWorkload ? { [ATTRIBUTE.namespace]: namespace, [ATTRIBUTE.workload]: workload } : {}),
  };
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
