import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderOf } from "../binaries.ts";
import { containerdSocket, home, nodeIP } from "../context.ts";
import { cgroupRoot, makeCgroups } from "../machine/cgroups.ts";
import { dnsIP, nodeName } from "../network.ts";
import { kubeconfigOf, pki } from "../pki.ts";
import { healthy } from "./health.ts";
import type { Part } from "./part.ts";

export const kubeletFolder = join(home, "kubelet");
export const podLogs = join(home, "pod-logs");

const config = {
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  cgroupDriver: "cgroupfs",
  cgroupRoot,
  failCgroupV1: false,
  failSwapOn: false,
  enforceNodeAllocatable: [],
  oomScoreAdj: 0,
  clusterDNS: [dnsIP],
  clusterDomain: "cluster.local",
  maxPods: 250,
  podLogsDir: podLogs,
  volumePluginDir: join(kubeletFolder, "volume-plugins"),
  tlsCertFile: pki("kubelet.crt"),
  tlsPrivateKeyFile: pki("kubelet.key"),
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: pki("ca.crt") } },
  authorization: { mode: "Webhook" },
  // No image can be fetched again: none is ever thrown away, and a full disk is this machine's business, not the kubelet's.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "1%",
    "nodefs.inodesFree": "1%",
    "imagefs.available": "1%",
  },
  // How soon a pod that became ready is known as such: cold starts of our functions are measured.
  syncFrequency: "10s",
};

export const kubelet: Part = {
  name: "kubelet",
  command: join(folderOf("kubernetes"), "kubelet"),
  args: [
    `--config=${join(kubeletFolder, "config.json")}`,
    `--kubeconfig=${kubeconfigOf("kubelet")}`,
    `--root-dir=${kubeletFolder}`,
    `--cert-dir=${join(kubeletFolder, "pki")}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${nodeIP}`,
  ],
  prepare() {
    makeCgroups();
    mkdirSync(kubeletFolder, { recursive: true });
    writeFileSync(join(kubeletFolder, "config.json"), JSON.stringify(config, null, 2));
  },
  ready: () => healthy("http://127.0.0.1:10248/healthz"),
};
