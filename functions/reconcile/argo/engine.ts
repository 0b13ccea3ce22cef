import type { RunEngine } from "../run-engine.ts";
import { NUDGED_AT, SUPERSEDED, WORKLOAD_LABEL } from "./names.ts";
import { settlePatch, viewWorkflow } from "./nodes.ts";
import { renderWorkflow, updateWorkflow, workflowName, workloadOfWorkflow } from "./render.ts";

/** Argo Workflows 4.0. Everything that knows its types is in this folder. */
export const argoEngine: RunEngine = {
  nameOf: workflowName,
  workloadOf: workloadOfWorkflow,
  workloadLabel: WORKLOAD_LABEL,
  render: renderWorkflow,
  update: updateWorkflow,
  view: viewWorkflow,
  settle: settlePatch,
  supersede: { metadata: { annotations: { [SUPERSEDED]: "true" } }, spec: { shutdown: "Terminate" } },
  nudge: (now) => ({ metadata: { annotations: { [NUDGED_AT]: now.toISOString() } } }),
};
