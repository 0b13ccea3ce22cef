import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Below this folder of every hierarchy the kubelet keeps its pods; nothing else of the machine's is touched. */
export const cgroupRoot = "/agentic";

type Hierarchy = { mount: string; type: string; options: string[] };

function hierarchies(): Hierarchy[] {
  return readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, mount = "", type = "", options = ""]) => ({ mount, type, options: options.split(",") }));
}

export function makeCgroups(): void {
  for (const { mount, type, options } of hierarchies()) {
    const folder = join(mount, cgroupRoot);
    if (type === "cgroup2" && mount === "/sys/fs/cgroup") {
      writeFileSync(join(mount, "cgroup.subtree_control"), "+cpu +cpuset +memory +pids +io");
    }
    mkdirSync(folder, { recursive: true });
    // On v1 an empty cpuset holds no process at all.
    if (options.includes("cpuset")) {
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        writeFileSync(join(folder, file), readFileSync(join(mount, file), "utf8").trim());
      }
    }
  }
}

/** The processes of a pod, by its uid. */
export function podProcesses(uid: string): number[] {
  const found = folders().filter((folder) => folder.includes(`/pod${uid}`));
  return [...new Set(found.flatMap(processesIn))];
}

/** Every process of every pod. */
export function allPodProcesses(): number[] {
  return [...new Set(folders().flatMap(processesIn))];
}

export function removeCgroups(): void {
  for (const folder of folders()) rmdirSync(folder);
}

/** Our folders in all hierarchies, children before their parents. */
function folders(): string[] {
  return hierarchies().flatMap(({ mount }) => below(join(mount, cgroupRoot)));
}

function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap(({ name }) => below(join(folder, name))), folder];
}

function processesIn(folder: string): number[] {
  try {
    return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
