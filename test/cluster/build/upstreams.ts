/** How one upstream is built: its folder under modules/ holds go.mod, whose tools are the binaries, and go.sum, the lock file. */
export type Upstream = {
  name: string;
  /** How long it takes on two cores when nothing is cached. */
  about: string;
  /** What is fed to `go install` when it is not go.mod's tools. */
  patterns?: string[];
  ldflags?: string;
  /** Build constraints: what is left out of it. */
  tags?: string;
  /** Manifests that are kept beside the binaries: a name here, the module they come from, the folder in it. */
  manifests?: Record<string, [module: string, folder: string]>;
};

const version = "k8s.io/component-base/version";
const argo = "github.com/argoproj/argo-workflows/v4";

// In the order in which `up` needs them.
export const upstreams = [
  { name: "etcd", about: "1 min" },
  {
    name: "kubernetes",
    about: "9 min",
    // A build outside the upstream's own tree does not know its version; clients and the kubelet's checks want it.
    ldflags: `-X ${version}.gitVersion=v1.34.4 -X ${version}.gitMajor=1 -X ${version}.gitMinor=34 -X ${version}.gitTreeState=clean`,
  },
  // Mains of our own: the container that each pod is built around; CoreDNS with just the plugins that our Corefile names.
  { name: "pause", about: "5 s", patterns: ["."] },
  { name: "coredns", about: "4 min", patterns: ["."] },
  {
    name: "argo-workflows",
    about: "4 min",
    manifests: {
      // The full ones cost the API server 0.7 GiB, and half of its time with each write of a Workflow.
      crds: [argo, "manifests/base/crds/minimal"],
      "full-crds": [argo, "manifests/base/crds/full"],
      controller: [argo, "manifests/base/workflow-controller"],
      rbac: [argo, "manifests/cluster-install-no-crds/workflow-controller-rbac"],
    },
  },
  { name: "argo", about: "10 s, after argo-workflows", patterns: ["."] },
  {
    name: "eventing",
    about: "4 min",
    manifests: {
      core: ["knative.dev/eventing", "config/core"],
      channel: ["knative.dev/eventing", "config/channels/in-memory-channel"],
      broker: ["knative.dev/eventing", "config/brokers/mt-channel-broker"],
    },
  },
  {
    name: "serving",
    about: "4 min",
    manifests: {
      // Serving's own folder has symlinks to what the next two hold; a module's zip drops symlinks.
      core: ["knative.dev/serving", "config/core"],
      networking: ["knative.dev/networking", "config"],
      caching: ["knative.dev/caching", "config"],
    },
  },
  { name: "kube-network-policies", about: "4 min" },
  { name: "net-kourier", about: "10 s", manifests: { kourier: ["knative.dev/net-kourier", "config"] } },
  { name: "func", about: "5 min" },
  { name: "versitygw", about: "2 min" },
  { name: "jaeger", about: "2 min" },
  // Without what finds targets to scrape at clouds: metrics are pushed to it.
  { name: "prometheus", about: "3 min", tags: "remove_all_sd" },
  // A main of our own around Grafana's types of dashboards: Grafana itself cannot be built from its module.
  { name: "grafana-schema", about: "30 s", patterns: ["."] },
  {
    name: "keda",
    about: "6 min",
    manifests: {
      crds: ["github.com/kedacore/keda/v2", "config/crd/bases"],
      general: ["github.com/kedacore/keda/v2", "config/general"],
      account: ["github.com/kedacore/keda/v2", "config/service_account"],
      rbac: ["github.com/kedacore/keda/v2", "config/rbac"],
      operator: ["github.com/kedacore/keda/v2", "config/manager"],
      adapter: ["github.com/kedacore/keda/v2", "config/metrics-server"],
    },
  },
  {
    name: "external-secrets",
    about: "3 min",
    manifests: { crds: ["github.com/external-secrets/external-secrets", "config/crds/bases"] },
  },
  { name: "registry", about: "5 s" },
  {
    name: "optional-kinds",
    about: "10 s",
    patterns: ["."],
    manifests: {
      cilium: ["github.com/cilium/cilium", "pkg/k8s/apis/cilium.io/client/crds/v2"],
      "external-secrets": ["github.com/external-secrets/external-secrets", "config/crds/bases"],
      gateway: ["sigs.k8s.io/gateway-api", "config/crd/standard"],
    },
  },
  {
    name: "helm",
    about: "4 min",
    // What it takes for the cluster's version where it has none to ask: `helm template` and `helm lint`.
    ldflags: ["chartutil", "lint/rules"]
      .flatMap((part) => ["Major=1", "Minor=34"].map((set) => `-X helm.sh/helm/v3/pkg/${part}.k8sVersion${set}`))
      .concat("-X helm.sh/helm/v3/internal/version.version=v3.20.2")
      .join(" "),
  },
] as const satisfies Upstream[];
