import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderOf } from "../binaries.ts";
import { home } from "../context.ts";
import { nodeName, podCIDR } from "../network.ts";
import { kubeconfigOf } from "../pki.ts";
import { healthy } from "./health.ts";
import type { Part } from "./part.ts";

const folder = join(home, "kube-proxy");
export const proxyConfig = join(folder, "config.json");

const config = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  mode: "iptables",
  hostnameOverride: nodeName,
  clusterCIDR: podCIDR,
  clientConnection: { kubeconfig: kubeconfigOf("kube-proxy") },
  healthzBindAddress: "127.0.0.1:10256",
  metricsBindAddress: "127.0.0.1:10249",
  oomScoreAdj: 0,
  // Its defaults change sysctls that are the machine's, not ours.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  iptables: { localhostNodePorts: false, minSyncPeriod: "100ms" },
};

export const kubeProxy: Part = {
  name: "kube-proxy",
  command: join(folderOf("kubernetes"), "kube-proxy"),
  args: [`--config=${proxyConfig}`],
  prepare() {
    mkdirSync(folder, { recursive: true });
    writeFileSync(proxyConfig, JSON.stringify(config, null, 2));
  },
  ready: () => healthy("http://127.0.0.1:10256/healthz"),
};
