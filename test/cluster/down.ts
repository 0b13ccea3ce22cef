import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { containerdSocket, home } from "./context.ts";
import { allPodProcesses, removeCgroups } from "./machine/cgroups.ts";
import { removeNetwork } from "./machine/network.ts";
import { parts } from "./parts/all.ts";
import { end, processesWhere } from "./processes.ts";
import { attempt } from "./run.ts";
import { say } from "./say.ts";
import { until } from "./wait.ts";

const podLogLinks = "/var/log/containers";

/** Ends and removes everything of the cluster, whatever state it is in: afterwards the machine is as it was. */
export async function down(): Promise<void> {
  const started = Date.now();
  // The kubelet first: it would start again what ends.
  for (const part of parts.toReversed()) await end(part.name);
  const traces = existsSync(home) ? tracesOfPods() : [];
  await endContainers();
  await unmountAll();
  await removeNetwork();
  await until(async () => {
    removeCgroups();
    return true;
  }, 10);
  for (const file of traces) rmSync(file, { force: true });
  rmSync(home, { recursive: true, force: true });
  for (const folder of foldersOutside) removeEmpty(folder);
  say(`down after ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function endContainers(): Promise<void> {
  await until(async () => {
    const pids = allPodProcesses();
    for (const pid of pids) kill(pid);
    return pids.length === 0;
  }, 20);
  // A shim serves one pod and is told our containerd's address: that makes it ours.
  await until(async () => {
    const pids = processesWhere((line) => /containerd-shim/.test(line[0] ?? "") && line.includes(containerdSocket));
    for (const pid of pids) kill(pid);
    return pids.length === 0;
  }, 20);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended by itself
  }
}

async function unmountAll(): Promise<void> {
  const below = (): string[] =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((mount) => mount.startsWith(`${home}/`))
      .reverse();
  await until(async () => {
    for (const mount of below()) await attempt("umount", [mount]);
    return below().length === 0;
  }, 10);
}

// Where the kubelet, containerd and the CNI plugins write whatever they are told.
const foldersOutside = ["/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/usr/libexec/kubernetes", podLogLinks];

/** Files of our pods in those folders: links to their logs, the sockets of their shims, the plugins' notes. */
function tracesOfPods(): string[] {
  const tasks = join(home, "containerd/state/io.containerd.runtime.v2.task/k8s.io");
  const ids = list(join(home, "containerd/root/io.containerd.grpc.v1.cri/sandboxes"));
  return [
    "/var/lib/kubelet/device-plugins/kubelet.sock",
    ...list(podLogLinks).filter((link) => readlinkSync(link).startsWith(`${home}/`)),
    ...list("/var/lib/cni/results").filter((file) => ids.some((id) => file.includes(basename(id)))),
    ...list(tasks).flatMap((task) => socketOf(join(task, "address"))),
  ];
}

function socketOf(addressFile: string): string[] {
  return existsSync(addressFile) ? [readFileSync(addressFile, "utf8").trim().replace("unix://", "")] : [];
}

/** A folder in which there is nothing but empty folders; one that something else holds on to stays. */
function removeEmpty(folder: string): void {
  for (const entry of list(folder)) if (lstatSync(entry).isDirectory()) removeEmpty(entry);
  if (list(folder).length > 0) return;
  try {
    rmdirSync(folder);
  } catch {
    // not there, or a mount point
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((entry) => join(folder, entry)) : [];
}
