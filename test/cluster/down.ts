import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { containerdSocket, home } from "./context.ts";
import { allPodProcesses, removeCgroups } from "./machine/cgroups.ts";
import { removeNetwork } from "./machine/network.ts";
import { bridge } from "./network.ts";
import { parts } from "./parts/all.ts";
import { processesWhere, stop } from "./processes.ts";
import { attempt } from "./run.ts";
import { say } from "./say.ts";
import { until } from "./wait.ts";

/** Ends and removes everything of the cluster, whatever state it is in: afterwards the machine is as it was. */
export async function down(): Promise<void> {
  const started = Date.now();
  // The kubelet first: it would start again what ends; containerd last, as it is what ends the containers' shims.
  for (const part of parts.toReversed()) {
    if (part.name !== "containerd") await stop(part.name);
  }
  await endContainers();
  await stop("containerd");
  await unmountAll();
  await removeNetwork();
  await until(async () => {
    removeCgroups();
    return true;
  }, 10);
  removeTraces();
  rmSync(home, { recursive: true, force: true });
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

/** What the kubelet and the CNI plugins keep at places that no setting moves. */
function removeTraces(): void {
  for (const name of list("/var/log/containers")) {
    const link = join("/var/log/containers", name);
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(`${home}/`)) rmSync(link);
  }
  for (const name of list("/var/lib/cni/results")) {
    if (name.startsWith(`${bridge}-`)) rmSync(join("/var/lib/cni/results", name));
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
