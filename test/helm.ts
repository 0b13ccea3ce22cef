import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "../scripts/deploy/manifests.ts";
import { built } from "./cluster/built.ts";

export const CHART = join(import.meta.dirname, "../charts/agentic");

/** The real Helm, built from source. @throws Error with what it said */
export async function helm(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const program = join(await built("helm"), "helm");
  try {
    const options = { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    return (await promisify(execFile)(program, [...args], options)).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stderr}${stdout}`.trim() || String(error), { cause: error });
  }
}

/** What the chart renders, with `--set` of each. Without hooks, unless they are asked for. */
export async function render(set: readonly string[] = [], { hooks = false } = {}): Promise<Manifest[]> {
  const values = set.flatMap((one) => ["--set-json", one]);
  const more = hooks ? [] : ["--no-hooks"];
  const text = await helm(["template", "agentic", CHART, "-n", "agentic-system", "--skip-tests", ...more, ...values]);
  // As Helm and the API server read it: `on` is no text.
  return parseAllDocuments(text, { version: "1.1" })
    .map((document) => {
      if (document.errors.length > 0) throw new Error(`${document.errors[0]?.message}\n${document.toString()}`);
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);
}

export const idOf = ({ apiVersion, kind, metadata }: Manifest): string =>
  `${apiVersion} ${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
