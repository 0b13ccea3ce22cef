import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { usageOf } from "../../pipeline/outcomes.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import { stagesOf } from "../../pipeline/stages.ts";
import { type Ending, gateEnding, reportEnding, runEnding, sitesEnding } from "./endings.ts";
import { gateVerdict, writtenDecision } from "./gate.ts";
import type { WorkflowView } from "./nodes.ts";
import type { Observed } from "./observe.ts";
import { hasEnded, hasFinished, isHeld, runFailure } from "./plan.ts";
import { traceId } from "./trace.ts";
import { type Trouble, troubleIn } from "./trouble.ts";
import { workflowName } from "./workflow.ts";

export type Status = NonNullable<AgentWorkload["status"]>;
type Phase = NonNullable<Status["phase"]>;
type Condition = NonNullable<Status["conditions"]>[number];

/** What the status is to say. `costOfApproving` in US dollars. Pure. */
export function statusOf(
  observed: Observed,
  { costOfApproving, trouble, now }: { costOfApproving: number; trouble?: Trouble | undefined; now: Date },
): Status {
  const { object, spec, workflow } = observed;
  const before = (object.status ?? {}) as Status;
  const say = conditionWriter(before.conditions ?? [], object.metadata.generation, now);
  if (!("order" in spec)) {
    const message = `the spec does not hold: ${spec.problem}`;
    return {
      ...before,
      phase: "Failed",
      conditions: [
        say("Accepted", ending("False", "InvalidSpec", message)),
        say("Ready", ending("False", "InvalidSpec", message)),
      ],
    };
  }
  const { order, workload } = spec;
  if (!workflow && hasFinished(observed, workflowName(order), now)) return before;
  const phase = phaseOf(observed);
  const sites = countSites(observed, order);
  const usage = usageOf(observed.outcomes);
  const end = runEnding(observed, order);
  const held = trouble ?? troubleIn(observed, now);
  return {
    phase,
    readyReplicas: observed.steps.filter(
      ({ step, node, outcome }) => step.forEach && node.phase === "Running" && !outcome,
    ).length,
    sites,
    conditions: [
      say("Accepted", ending("True", "Valid", "the spec holds")),
      say("WorkflowCreated", workflow ? ending("True", "Created", workflow.name) : ending("False", "NotYet", "")),
      say("Analyzed", sitesEnding(observed, order, sites)),
      say("Reviewed", gateEnding(observed)),
      say("Reported", reportEnding(observed, order)),
      say(
        "Ready",
        held && !end ? ending("False", held.reason, held.message) : (end ?? underWay(observed, phase, sites)),
      ),
    ],
    workflow: workflowName(order),
    usage: {
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      costUsd: dollars(usage.costUsd),
      browserSeconds: Math.round(usage.browserSeconds),
    },
    ...reviewOf(observed, workload, order, costOfApproving),
    ...reportOf(observed, order),
    trace: traceId(order),
    startedAt: workflow?.createdAt.toISOString() ?? before.startedAt ?? now.toISOString(),
    ...(workflow && hasEnded(workflow)
      ? { finishedAt: isoOf(workflow.finishedAt) ?? before.finishedAt ?? now.toISOString() }
      : {}),
  };
}

/** The status as it was, with what keeps the run from going on: for when the run itself cannot be looked at. */
export function troubledStatus({ object }: Pick<Observed, "object">, trouble: Trouble, now: Date): Status {
  const before = (object.status ?? {}) as Status;
  const conditions = before.conditions ?? [];
  const say = conditionWriter(conditions, object.metadata.generation, now);
  const ready = say("Ready", ending("False", trouble.reason, trouble.message));
  return {
    ...before,
    phase: before.phase ?? "Pending",
    conditions: [...conditions.filter(({ type }) => type !== "Ready"), ready],
  };
}

function phaseOf(observed: Observed): Phase {
  const { workflow, gate, review } = observed;
  if (!workflow) return isHeld(observed) ? "Suspended" : "Creating";
  if (workflow.phase === "Succeeded") {
    const verdict = gate && gateVerdict(gate, review);
    return verdict?.decision === "rejected" ? "Rejected" : "Succeeded";
  }
  if (hasEnded(workflow)) return "Failed";
  if (isHeld(observed)) return "Suspended";
  if (workflow.nodes.length === 0) return "Creating";
  return gate?.node.phase === "Running" && review && !review.decision ? "AwaitingReview" : "Running";
}

function countSites({ outcomes }: Observed, order: RunOrder): NonNullable<Status["sites"]> {
  const all = (step: string) => outcomes.get(step) ?? [];
  const succeeded = (step: string) => all(step).filter(({ outcome }) => outcome === "succeeded").length;
  const chain = stagesOf(order.pipeline).flatMap((stage) => ("chain" in stage ? stage.chain : []));
  const total = order.lists.sites.length;
  const analyzed = succeeded("analyze");
  return {
    total,
    scraped: succeeded("scrape"),
    analyzed,
    failed: chain.flatMap(({ name }) => all(name)).filter(({ outcome }) => outcome === "failed").length,
    progress: `${analyzed}/${total}`,
  };
}

/** The review is open from the moment the status says so. */
function reviewOf(
  { gate, review, outcomes }: Observed,
  workload: AgentWorkload,
  order: RunOrder,
  costOfApproving: number,
): Pick<Status, "review"> {
  if (!gate || gate.node.phase === "Failed" || gate.node.phase === "Error") return {};
  if (runFailure(outcomes, order)) return {};
  const automatic = workload.spec.review.required
    ? undefined
    : { decision: "approved" as const, by: "spec.review.required: false", at: gate.openedAt.toISOString() };
  const verdict = gateVerdict(gate, review) ?? writtenDecision(gate, review) ?? automatic;
  return {
    review: {
      run: order.run,
      digest: gate.digest,
      openedAt: gate.openedAt.toISOString(),
      timeoutAt: gate.timeoutAt.toISOString(),
      costOfApproving: dollars(costOfApproving),
      ...(verdict ? { decision: verdict.decision, by: verdict.by, at: verdict.at } : {}),
      ...(verdict && "comment" in verdict && verdict.comment ? { comment: verdict.comment } : {}),
    },
  };
}

function reportOf({ outcomes }: Observed, order: RunOrder): Pick<Status, "report"> {
  const last = order.pipeline.steps.at(-1);
  const written = last && outcomes.get(last.name)?.find(({ outcome }) => outcome === "succeeded");
  return written ? { report: written.artifacts } : {};
}

function underWay(observed: Observed, phase: Phase, sites: NonNullable<Status["sites"]>): Ending {
  const { workflow } = observed;
  switch (phase) {
    case "Creating":
      return ending(
        "False",
        phase,
        workflow ? "waiting for Argo to start the Workflow" : "the Workflow is being created",
      );
    case "Suspended":
      if (workflow?.suspended) return ending("False", "SuspendedInArgo", suspendedAdvice(workflow));
      if (workflow?.shutdown) return ending("False", "StoppedInArgo", "the Workflow is being stopped in Argo");
      return ending("False", phase, "spec.suspend is true: nothing new starts; false goes on");
    case "AwaitingReview":
      return ending("False", phase, `waiting for a decision until ${observed.gate?.timeoutAt.toISOString()}`);
    default:
      return ending("False", phase, `${sites.analyzed} of ${sites.total} sites analyzed, ${sites.failed} failed`);
  }
}

/** Not `argo resume`: it would give each running step a result of its own, and is refused. */
function suspendedAdvice({ name, object }: WorkflowView): string {
  const patch = `kubectl -n ${object.metadata.namespace} patch workflow ${name} --type=merge -p '{"spec":{"suspend":null}}'`;
  return `the Workflow is suspended in Argo; '${patch}' goes on`;
}

function ending(status: Ending["status"], reason: string, message: string): Ending {
  return { status, reason, message };
}

/** A condition's transition time is when its status last changed. */
function conditionWriter(before: readonly Condition[], generation: number | undefined, now: Date) {
  return (type: Condition["type"], { status, reason, message }: Ending): Condition => {
    const known = before.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason,
      message,
      lastTransitionTime: known?.status === status ? known.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  };
}

/** Four digits: a site costs about $0.0008. */
function dollars(usd: number): string {
  return usd.toFixed(4);
}

function isoOf(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
