import type { AgentWorkload } from "../../crd/agentworkload.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import { gateVerdict } from "./gate.ts";
import type { WorkflowView } from "./nodes.ts";
import type { Observed } from "./observe.ts";
import { hasEnded, runFailure } from "./plan.ts";

/** What a condition says of one part of a run. */
export interface Ending {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}
type Sites = NonNullable<NonNullable<AgentWorkload["status"]>["sites"]>;

export function sitesEnding({ outcomes, gate }: Observed, order: RunOrder, sites: Sites): Ending {
  const counts = `${sites.analyzed} of ${sites.total} sites analyzed, ${sites.failed} failed`;
  if (!gate) return { status: "False", reason: "InProgress", message: counts };
  const failure = runFailure(outcomes, order);
  if (failure) return { status: "False", ...failure };
  return { status: "True", reason: sites.failed > 0 ? "SomeSitesFailed" : "AllSites", message: counts };
}

export function gateEnding({ gate, review }: Observed): Ending {
  if (!gate) return { status: "False", reason: "NotYet", message: "" };
  const verdict = gateVerdict(gate, review);
  if (verdict) {
    const reason = verdict.decision === "approved" ? "Approved" : "Rejected";
    return { status: "True", reason, message: `by ${verdict.by}${verdict.comment ? `: ${verdict.comment}` : ""}` };
  }
  if (gate.node.phase !== "Running")
    return { status: "False", reason: "NotReached", message: gate.node.message ?? "the run ended before its review" };
  return {
    status: "False",
    reason: "Waiting",
    message: `the findings ${gate.digest.slice(0, 12)}… wait for a decision`,
  };
}

export function reportEnding({ outcomes, workflow }: Observed, order: RunOrder): Ending {
  const result = outcomes.get(order.pipeline.steps.at(-1)?.name ?? "")?.[0];
  if (result?.outcome === "succeeded") return { status: "True", reason: "Written", message: result.output ?? "" };
  if (result) return { status: "False", reason: result.reason ?? "Failed", message: result.message ?? "" };
  const over = workflow !== undefined && hasEnded(workflow);
  return { status: "False", reason: over ? "NotWritten" : "NotYet", message: "" };
}

/** How the whole run ended, or is about to; undefined while it goes on. */
export function runEnding(observed: Observed, order: RunOrder): Ending | undefined {
  const { workflow, gate, review, outcomes } = observed;
  if (!workflow) return undefined;
  const failure = gate ? runFailure(outcomes, order) : undefined;
  if (failure) return { status: "False", ...failure };
  if (!hasEnded(workflow)) return undefined;
  const report = outcomes.get(order.pipeline.steps.at(-1)?.name ?? "")?.[0];
  if (workflow.phase === "Succeeded") {
    const verdict = gate && gateVerdict(gate, review);
    if (verdict?.decision === "rejected")
      return {
        status: "False",
        reason: "Rejected",
        message: `rejected by ${verdict.by}${verdict.comment ? `: ${verdict.comment}` : ""}`,
      };
    return { status: "True", reason: "Succeeded", message: report?.output ?? "the report is written" };
  }
  if (report?.outcome === "failed")
    return { status: "False", reason: report.reason ?? "ReportFailed", message: report.message ?? "" };
  if (workflow.shutdown)
    return {
      status: "False",
      reason: "StoppedInArgo",
      message: `the Workflow was stopped in Argo; ${again(workflow)}`,
    };
  return {
    status: "False",
    reason: "WorkflowFailed",
    message: `${workflow.message || "the Workflow failed in Argo"}; ${again(workflow)}`,
  };
}

/** Not `argo retry`: it starts no suspend node anew. */
function again({ name, object }: WorkflowView): string {
  return `'kubectl -n ${object.metadata.namespace} delete workflow ${name}' has it made anew, and what succeeded is used again`;
}
