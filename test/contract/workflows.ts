import { connectKube, type KindClient, type KubeObject } from "../../lib/edges/kube.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { kubeconfig } from "../kubernetes/cluster.ts";
import { UID } from "../unit/reconcile/harness.ts";

const real = connectKube(kubeConfig({ file: kubeconfig })).workflows;

/** The real Argo's. Without their owner, which exists in memory alone: the garbage collector would take them away. */
export const workflows: KindClient = {
  ...real,
  create(namespace, body) {
    const { metadata, ...rest } = body as KubeObject;
    const { ownerReferences: _gone, ...kept } = metadata as Record<string, unknown>;
    return real.create(namespace, { ...rest, metadata: kept });
  },
  async list(where) {
    const owner = { kind: "AgentWorkload", uid: UID };
    return (await real.list(where)).map((one) => ({ ...one, metadata: { ...one.metadata, ownerReferences: [owner] } }));
  },
};
