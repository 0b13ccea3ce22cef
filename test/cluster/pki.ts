import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home, kubeconfig, nodeIP } from "./context.ts";
import { apiServer, kubernetesIP, nodeName } from "./network.ts";
import { run } from "./run.ts";

const folder = join(home, "pki");
export const pki = (file: string): string => join(folder, file);
export const kubeconfigOf = (user: string): string => join(home, "kubeconfigs", user);

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"];

// Who talks to whom: a certificate each. The API server takes a client's name and groups from CN and O.
const certificates = {
  "kube-apiserver": `/CN=kube-apiserver`,
  // Who the API server is to the API servers that it sends requests on to.
  "front-proxy": "/CN=front-proxy",
  "kubelet-client": "/O=system:masters/CN=kube-apiserver-kubelet-client",
  admin: "/O=system:masters/CN=admin",
  "kube-controller-manager": "/CN=system:kube-controller-manager",
  "kube-scheduler": "/CN=system:kube-scheduler",
  "kube-proxy": "/CN=system:kube-proxy",
  kubelet: `/O=system:nodes/CN=system:node:${nodeName}`,
};
const servers: Record<string, string> = {
  "kube-apiserver": `IP:${nodeIP},IP:${kubernetesIP},IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local`,
  kubelet: `IP:${nodeIP},DNS:${nodeName}`,
};

/** The cluster's own authority, each part's certificate, and kubeconfigs for those that are clients. Made once. */
export async function makePki(): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  mkdirSync(join(home, "kubeconfigs"), { recursive: true, mode: 0o700 });
  if (!existsSync(pki("ca.crt"))) {
    const into = ["-subj", "/CN=agentic-cluster", "-keyout", pki("ca.key"), "-out", pki("ca.crt")];
    await run("openssl", ["req", "-x509", ...newKey, ...into]);
  }
  if (!existsSync(pki("service-accounts.key"))) {
    await run("openssl", ["genrsa", "-out", pki("service-accounts.key"), "2048"]);
  }
  for (const [name, subject] of Object.entries(certificates)) {
    if (!existsSync(pki(`${name}.crt`))) await sign(name, subject, servers[name]);
    writeFileSync(kubeconfigOf(name), kubeconfigFor(name), { mode: 0o600 });
  }
  writeFileSync(kubeconfig, kubeconfigFor("admin"), { mode: 0o600 });
}

async function sign(name: string, subject: string, alternatives: string | undefined): Promise<void> {
  const extensions = [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=clientAuth,serverAuth",
    ...(alternatives ? [`subjectAltName=${alternatives}`] : []),
  ].flatMap((text) => ["-addext", text]);
  const ca = ["-CA", pki("ca.crt"), "-CAkey", pki("ca.key")];
  const into = ["-subj", subject, "-keyout", pki(`${name}.key`), "-out", pki(`${name}.crt`)];
  await run("openssl", ["req", "-x509", ...newKey, ...ca, ...extensions, ...into]);
}

function kubeconfigFor(user: string): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "agentic", cluster: { server: apiServer, "certificate-authority": pki("ca.crt") } }],
    users: [{ name: user, user: { "client-certificate": pki(`${user}.crt`), "client-key": pki(`${user}.key`) } }],
    contexts: [{ name: "agentic", context: { cluster: "agentic", user } }],
    "current-context": "agentic",
  };
  return JSON.stringify(config, null, 2);
}
