import { containerd } from "./containerd.ts";
import { apiserver, controllerManager, scheduler } from "./control-plane.ts";
import { etcd } from "./etcd.ts";
import { kubeProxy } from "./kube-proxy.ts";
import { kubelet } from "./kubelet.ts";
import type { Part } from "./part.ts";

/** In the order of their start. */
export const parts: Part[] = [containerd, etcd, apiserver, controllerManager, scheduler, kubelet, kubeProxy];
