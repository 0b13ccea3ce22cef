import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { sha256 } from "../../engine/canonical.ts";
import type { Evidence } from "../../engine/evidence.ts";
import { verifyEvidence } from "../../lib/evidence.ts";
import { EXIT } from "../exit-code.ts";

export interface VerifyOptions {
  readonly key: string;
  readonly output: "text" | "json";
}

/** `agentic verify EVIDENCE [FILES...]`: whether evidence holds, and whether files are outputs that it speaks of. @returns the exit code */
export async function verify(path: string, files: readonly string[], { key, output }: VerifyOptions): Promise<number> {
  const read = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined);
  const [bundle, pem] = await Promise.all([read(path), read(key)]);
  const keyObject = pem && keyOf(pem);
  if (!bundle || !keyObject) {
    process.stderr.write(`agentic: ${bundle ? `${key} is no PEM of a key` : `${path} cannot be read`}\n`);
    return EXIT.invalid;
  }
  const verified = await verifyEvidence(bundle.toString("utf8"), keyObject);
  if ("problem" in verified) return refused(path, verified.problem);
  const { evidence } = verified;
  const named = new Map(evidence.subject.map(({ name, digest }) => [digest.sha256, name]));
  for (const file of files) {
    const bytes = await read(file);
    if (!bytes) return refused(file, "it cannot be read");
    if (!named.has(sha256(bytes))) return refused(file, "it is no output of this run, or was changed since");
  }
  if (output === "json") process.stdout.write(`${JSON.stringify(evidence, null, 2)}\n`);
  else process.stdout.write(summary(evidence));
  return EXIT.succeeded;
}

function refused(what: string, problem: string): number {
  process.stderr.write(`agentic: ${what} does not hold: ${problem}\n`);
  return EXIT.failed;
}

/** The public key, or the private one of a run's own folder. */
function keyOf(pem: Buffer): KeyObject | undefined {
  for (const make of [createPublicKey, createPrivateKey]) {
    try {
      return make(pem);
    } catch {
      // The other half, or none.
    }
  }
  return undefined;
}

function summary({ subject, predicate }: Evidence): string {
  const { workload, phase, run, startedAt, finishedAt, usage, chain } = predicate;
  const steps = chain.flatMap(({ entry }) => (entry.kind === "step" ? [entry] : []));
  const failed = steps.filter(({ outcome }) => outcome === "failed").length;
  const decisions = chain.flatMap(({ entry }) => (entry.kind === "decision" ? [entry.decision] : []));
  return [
    `The evidence holds: ${workload.namespace}/${workload.name}, run ${run}, ${phase}.`,
    `  from ${startedAt} to ${finishedAt}, $${usage.costUsd.toFixed(6)}`,
    `  ${steps.length} steps, ${failed} failed`,
    ...decisions.map(
      ({ gate, decision, by, how, at, automatic }) =>
        `  gate ${gate}: ${decision} by ${by} (${how}${automatic ? ", automatic" : ""}) at ${at}`,
    ),
    ...subject.map(({ name, digest }) => `  output ${name}: sha256 ${digest.sha256}`),
    "",
  ].join("\n");
}
