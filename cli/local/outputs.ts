import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Outcomes } from "../../engine/outcomes.ts";
import { outputsOf } from "../../engine/outputs.ts";
import type { Run } from "../../engine/run.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { RunFolder } from "../run-folder.ts";

/** One file that a run leaves. */
export interface OutputFile {
  /** The artifact's role; in a fan-out with the item's index before it. */
  readonly name: string;
  readonly key: string;
  /** Below the run's folder. */
  readonly path: string;
}

/** The state file of a run, and its evidence, lie beside its outputs. */
const TAKEN: ReadonlySet<string> = new Set(["run.json", "evidence.json"]);

/**
 * Names the artifacts of the run's output step: STEP.EXT; where several have one extension, ROLE.EXT; those of a fan-out
 * outputs/INDEX-ROLE.EXT.
 */
export function outputFiles({ pipeline }: Run, outcomes: Outcomes): OutputFile[] {
  const outputs = outputsOf({ pipeline }, outcomes);
  const extensions = outputs.map(({ key }) => extensionOf(key));
  return outputs.map(({ name, role, key, index }): OutputFile => {
    const extension = extensionOf(key);
    if (index !== undefined) return { name, key, path: join("outputs", `${index}-${fileName(role)}.${extension}`) };
    const isOnly = extensions.filter((other) => other === extension).length === 1;
    const path = `${isOnly ? pipeline.output : fileName(role)}.${extension}`;
    return { name, key, path: TAKEN.has(path) ? join("outputs", path) : path };
  });
}

/** Writes the outputs as files. @returns their paths by name */
export async function writeOutputs(
  run: Run,
  outcomes: Outcomes,
  artifacts: Artifacts,
  folder: RunFolder,
): Promise<Record<string, string>> {
  const files = outputFiles(run, outcomes);
  // What an earlier run left there would look like this one's.
  await rm(folder.outputs, { recursive: true, force: true });
  if (files.some(({ path }) => path.includes("/"))) await mkdir(folder.outputs, { recursive: true });
  const paths: Record<string, string> = {};
  for (const { name, key, path } of files) {
    paths[name] = join(folder.path, path);
    await writeFile(join(folder.path, path), await artifacts.get(run.workload, key));
  }
  return paths;
}

function extensionOf(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

/** A role is an agent's text: it must not name a file elsewhere. */
function fileName(role: string): string {
  return role.replaceAll(/[^\w-]+/g, "_");
}
