import { join } from "node:path";
import { folderOf } from "../binaries.ts";

/** What runs as pods: upstream manifests, and the file under config/ that is laid over them. */
export type Addon = {
  name: string;
  /** Folders of upstream manifests. */
  from: string[];
  /** Files of those that nothing here uses. */
  skip?: RegExp;
  /** The namespace of manifests that name none. */
  namespace?: string;
  /** Where its Deployments are. */
  waitFor: string[];
};

const manifests = (upstream: Parameters<typeof folderOf>[0], name: string): string =>
  join(folderOf(upstream), "manifests", name);

// In the order in which they are applied.
export const addons: Addon[] = [
  { name: "coredns", from: [], waitFor: ["kube-system"] },
  { name: "policy-engine", from: [], waitFor: [] },
  {
    name: "argo",
    from: ["crds", "rbac", "controller"].map((name) => manifests("argo-workflows", name)),
    skip: /kustomization/,
    namespace: "argo",
    waitFor: ["argo"],
  },
  {
    name: "eventing",
    from: ["core", "channel", "broker"].map((name) => manifests("eventing", name)),
    skip: /job-sink|request-reply|hpa\.yaml$/,
    waitFor: ["knative-eventing"],
  },
  {
    name: "serving",
    from: ["networking", "caching", "core"].map((name) => manifests("serving", name)),
    // A certificate for cert-manager, which is not there.
    skip: /knativecertificate|hpa\.yaml$/,
    waitFor: ["knative-serving"],
  },
  { name: "kourier", from: [manifests("net-kourier", "kourier")], waitFor: ["knative-serving", "kourier-system"] },
];

/** What Secrets come from: OpenBao, which speaks as Vault does, and what makes Secrets of its entries. */
export const vault: Addon[] = [
  { name: "openbao", from: [], waitFor: ["openbao"] },
  {
    name: "external-secrets",
    from: [manifests("external-secrets", "crds")],
    skip: /kustomization/,
    waitFor: ["external-secrets"],
  },
];

/** The autoscaler of the browser pool. */
export const keda: Addon = {
  name: "keda",
  from: ["crds", "general", "account", "rbac", "operator", "adapter"].map((name) => manifests("keda", name)),
  skip: /kustomization/,
  waitFor: ["keda"],
};
