import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { imageCache } from "./cache.ts";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. What it prints goes to a log; of a failure its last lines are the message. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: CommandOptions = {},
): Promise<void> {
  const log = join(imageCache, `${process.pid}.log`);
  const output = openSync(log, "w");
  try {
    const child = spawn(program, args, {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    if (code === 0) {
      rmSync(log);
      return;
    }
    const failed = join(imageCache, "failed.log");
    renameSync(log, failed);
    const end = readFileSync(failed, "utf8").trimEnd().split("\n").slice(-30).join("\n");
    throw new Error(`${program} ended with code ${code}; the end of ${failed}:\n${end}`);
  } finally {
    closeSync(output);
  }
}

/** What a program prints, or undefined where it fails or is not there. */
export function output(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return status === 0 ? stdout.trim() : undefined;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Says what is being done, then how long it took. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  console.log(`image: ${what} …`);
  const result = await work();
  console.log(`image: ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/** Debian packages that are missing; only root on a machine with apt can have them installed. */
export async function installDebian(programs: readonly string[]): Promise<void> {
  const missing = programs.filter((program) => output("sh", ["-c", `command -v ${program}`]) === undefined);
  if (missing.length === 0) return;
  if (!isRoot() || output("sh", ["-c", "command -v apt-get"]) === undefined)
    throw new Error(`missing: ${missing.join(", ")}; install it, or docker or podman, and run this again`);
  await timed(`apt-get install ${missing.join(" ")}`, async () => {
    await run("apt-get", ["update", "-qq"]);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], { env });
  });
}
