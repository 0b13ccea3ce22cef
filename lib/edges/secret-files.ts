import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../log.ts";

/** By name. */
type Values = Readonly<Record<string, string | undefined>>;

export interface SecretFiles {
  /** A file for each variable that comes from a Secret, named as the variable. The kubelet replaces them. */
  readonly folder: string;
  /** What this process was started with. */
  readonly environment: Values;
  readonly everyMs: number;
  readonly log: Logger;
}

/**
 * Ends with the names of what others say now than this process was started with, when two looks say the same: several Secrets may be
 * about to change. What cannot be read is looked at again.
 */
export async function untilSecretsChange(
  { folder, environment, everyMs, log }: SecretFiles,
  sleep: (ms: number) => Promise<unknown>,
): Promise<string[]> {
  let first: Values | undefined;
  let previous = "";
  for (;;) {
    try {
      const now = await readValues(folder);
      first ??= now;
      const changed = changedIn(now, first, environment);
      const seen = JSON.stringify(changed.map((name) => [name, now[name]]));
      if (changed.length > 0 && seen === previous) return changed;
      previous = seen;
    } catch (error) {
      log.warn({ err: error }, "Secrets not looked at: changes of them are not seen");
    }
    await sleep(everyMs);
  }
}

/**
 * A value that is neither the environment's nor what stood there at the start: the kubelet may bring a file later than the variable, and
 * a container's own `env` may say something else for good. One that is gone is no change: nothing could start without it.
 */
export function changedIn(now: Values, first: Values, environment: Values): string[] {
  return Object.keys(now)
    .filter((name) => now[name] !== environment[name] && now[name] !== first[name])
    .toSorted();
}

/** The kubelet's own entries begin with two dots. */
async function readValues(folder: string): Promise<Values> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".."));
  const values = await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const),
  );
  return Object.fromEntries(values);
}
