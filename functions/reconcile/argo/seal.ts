import { type KeyObject, sign, verify } from "node:crypto";
import type { WorkloadSpec } from "../../../crd/agentworkload.ts";
import type { Run } from "../../../engine/run.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import type { RunEngine, RunView } from "../run-engine.ts";
import { argoEngine } from "./engine.ts";
import { PIPELINE_ANNOTATION, SEAL_ANNOTATION } from "./names.ts";
import { viewWorkflow } from "./nodes.ts";
import { renderWorkflow } from "./render.ts";

/** What of a Workflow is sealed: its place, whose name says which run it is, and the pipeline that the run froze. */
interface Sealed {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
}

/**
 * Argo, with the frozen pipeline under a seal: whoever may edit a Workflow could take a gate out of it, and nothing would show that nobody
 * was asked. One whose seal is not reconcile's is not read. `publicKeys`: while keys are rotated, also the one before.
 */
export function sealedArgoEngine(privateKey: KeyObject, publicKeys: readonly KeyObject[]): RunEngine {
  const isSealed = (object: KubeObject): boolean => {
    const seal = Buffer.from(object.metadata.annotations[SEAL_ANNOTATION] ?? "", "base64");
    return publicKeys.some((key) => verify(null, sealedText(object), key, seal));
  };
  return {
    ...argoEngine,
    render(run: Run, spec: WorkloadSpec) {
      const body = renderWorkflow(run, spec) as Sealed;
      const seal = sign(null, sealedText(body), privateKey).toString("base64");
      const annotations = { ...body.metadata.annotations, [SEAL_ANNOTATION]: seal };
      return { ...body, metadata: { ...body.metadata, annotations } };
    },
    view(object): RunView {
      const { pipeline, ...view } = viewWorkflow(object);
      return pipeline && isSealed(object) ? { ...view, pipeline } : view;
    },
  };
}

/** Begins as nothing else does that the key signs. */
function sealedText({ metadata: { namespace, name, annotations } }: Sealed): Buffer {
  return Buffer.from([PIPELINE_ANNOTATION, namespace, name, annotations[PIPELINE_ANNOTATION]].join("\n"));
}
