import { nodeIP } from "./context.ts";

/** The one network of the cluster: a bridge that is the node's own address too, so that nothing hangs on the machine's interfaces. */
export const bridge = "agentic0";
export const nodeName = "agentic";
export const podCIDR = "10.90.0.0/16";
export const firstPodIP = "10.90.0.10";
export const serviceCIDR = "10.91.0.0/16";
export const kubernetesIP = "10.91.0.1";
export const dnsIP = "10.91.0.10";
export const apiServer = `https://${nodeIP}:6443`;
