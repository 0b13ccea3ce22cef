import { join } from "node:path";
import { folderOf } from "../binaries.ts";
import { nodeIP } from "../context.ts";
import { apiServer, serviceCIDR } from "../network.ts";
import { kubeconfigOf, makePki, pki } from "../pki.ts";
import { etcdURL } from "./etcd.ts";
import { healthy } from "./health.ts";
import type { Part } from "./part.ts";

const kubernetes = folderOf("kubernetes");

export const apiserver: Part = {
  name: "kube-apiserver",
  command: join(kubernetes, "kube-apiserver"),
  args: [
    `--advertise-address=${nodeIP}`,
    `--etcd-servers=${etcdURL}`,
    `--service-cluster-ip-range=${serviceCIDR}`,
    "--allow-privileged",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    `--client-ca-file=${pki("ca.crt")}`,
    `--tls-cert-file=${pki("kube-apiserver.crt")}`,
    `--tls-private-key-file=${pki("kube-apiserver.key")}`,
    // For logs and exec.
    "--kubelet-preferred-address-types=InternalIP",
    `--kubelet-certificate-authority=${pki("ca.crt")}`,
    `--kubelet-client-certificate=${pki("kubelet-client.crt")}`,
    `--kubelet-client-key=${pki("kubelet-client.key")}`,
    // For APIs that pods serve, as that of metrics.
    `--proxy-client-cert-file=${pki("front-proxy.crt")}`,
    `--proxy-client-key-file=${pki("front-proxy.key")}`,
    `--requestheader-client-ca-file=${pki("ca.crt")}`,
    "--requestheader-allowed-names=front-proxy",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${pki("service-accounts.key")}`,
    `--service-account-signing-key-file=${pki("service-accounts.key")}`,
  ],
  prepare: makePki,
  ready: () => healthy(`${apiServer}/readyz`),
};

export const controllerManager: Part = {
  name: "kube-controller-manager",
  command: join(kubernetes, "kube-controller-manager"),
  args: [
    ...client("kube-controller-manager"),
    "--use-service-account-credentials",
    `--service-account-private-key-file=${pki("service-accounts.key")}`,
    `--root-ca-file=${pki("ca.crt")}`,
  ],
  ready: () => healthy("https://127.0.0.1:10257/healthz"),
};

export const scheduler: Part = {
  name: "kube-scheduler",
  command: join(kubernetes, "kube-scheduler"),
  args: client("kube-scheduler"),
  ready: () => healthy("https://127.0.0.1:10259/healthz"),
};

function client(name: string): string[] {
  return [`--kubeconfig=${kubeconfigOf(name)}`, "--bind-address=127.0.0.1", "--leader-elect=false"];
}
