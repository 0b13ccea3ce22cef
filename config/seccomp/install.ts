/**
 * Keeps a seccomp profile on a node: copies it into the kubelet's folder, again when the ConfigMap that it comes from changes. Runs in each
 * pod of the DaemonSet `seccomp` (config/seccomp-node.yaml), from that ConfigMap, and so imports nothing of this project.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const INTERVAL_MS = 10_000;

const contentOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};

/** Whole or not at all: a container that starts this moment reads the old profile or the new one. @returns whether it had to be written */
export function install(source: string, folder: string): boolean {
  const profile = readFileSync(source, "utf8");
  const target = join(folder, basename(source));
  if (contentOf(target) === profile) return false;
  JSON.parse(profile);
  mkdirSync(folder, { recursive: true });
  const partial = `${target}.partial`;
  writeFileSync(partial, profile, { mode: 0o644 });
  renameSync(partial, target);
  return true;
}

if (import.meta.main) {
  const [source = "", folder = ""] = process.argv.slice(2);
  const look = (): void => {
    if (install(source, folder)) console.log(`${basename(source)} written`);
  };
  look();
  setInterval(look, INTERVAL_MS);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
}
