import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { publicKeys } from "../../lib/keys.ts";
import { isSignedUsage, readUsageFile } from "../../lib/usage/file.ts";
import type { UsageRecord } from "../../lib/usage/record.ts";
import type { ServedUsage } from "../../lib/usage/served.ts";
import { EXIT } from "../exit-code.ts";
import { type UsageFormat, usageText } from "../usage.ts";
import type { Cluster } from "./cluster.ts";

export interface UsageOptions {
  readonly month?: string;
  readonly allNamespaces?: boolean;
  readonly output: UsageFormat;
  readonly verify?: boolean;
  /** A PEM with further public keys. */
  readonly key?: string;
}

/** `kubectl agentic usage`: what runs used in a month, by their records. @returns the exit code */
export async function usage(cluster: Cluster, options: UsageOptions, now: Date): Promise<number> {
  const {
    allNamespaces = false,
    output,
    verify = false,
    month = now.toISOString().slice(0, "2026-01".length),
  } = options;
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) return invalid(`--month ${month}: expected a month, as 2026-11`);
  if (verify && !allNamespaces) return invalid("--verify is about all records of a month: add -A");
  const served = await cluster.usage(month, allNamespaces);
  const records = served.files.flatMap((file) => readUsageFile(file) ?? []);
  process.stdout.write(usageText(output, records));
  for (const key of served.broken)
    process.stderr.write(`kubectl agentic: ${key} is no usage record, and counts nothing\n`);
  if (!verify) return EXIT.succeeded;
  const { publicKeys: pem, accounts } = await cluster.usageProof();
  const further = options.key === undefined ? "" : await readFile(options.key, "utf8");
  const keys = pem || further ? publicKeys("EVIDENCE_PUBLIC_KEY", `${pem ?? ""}\n${further}`) : [];
  const problems = await usageProblems(served, keys, accounts.recorded?.[month]);
  for (const problem of problems) process.stderr.write(`kubectl agentic: ${problem}\n`);
  if (problems.length > 0) return EXIT.failed;
  process.stderr.write(`kubectl agentic: ${month}: ${records.length} records, all signed, none missing\n`);
  return EXIT.succeeded;
}

function invalid(problem: string): number {
  process.stderr.write(`kubectl agentic: ${problem}\n`);
  return EXIT.invalid;
}

/** `counted`: how many runs of the month the accounts know to be recorded; undefined: they know of none. */
export async function usageProblems(
  { files, broken }: ServedUsage,
  keys: readonly KeyObject[],
  counted: number | undefined,
): Promise<string[]> {
  if (keys.length === 0)
    return ["the installation signs no records (Secret agentic-evidence): edited ones are not noticed"];
  const signed = await Promise.all(files.map((file) => isSignedUsage(file, keys)));
  const unsigned = files.filter((_, at) => !signed[at]).flatMap((file) => readUsageFile(file) ?? []);
  const runs = files.filter((_, at) => signed[at]).flatMap((file) => readUsageFile(file) ?? []);
  const missing = (counted ?? 0) - runs.filter(({ part }) => part !== "rest").length;
  return [
    ...broken.map((key) => `${key} is not as reconcile wrote it`),
    ...unsigned.map(
      (one) => `the record ${nameOf(one)} is not signed by the installation's key: it was edited or forged`,
    ),
    ...(missing > 0 ? [`${missing} of ${counted} records of runs are missing`] : []),
  ];
}

function nameOf({ namespace, workload, uid, part }: UsageRecord): string {
  return `${namespace}/${workload} (${uid}/${part})`;
}
