import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "../../lib/edges/durable-files.ts";
import { EXIT } from "../exit-code.ts";
import { openProgram } from "../open-program.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { missing } from "./describe.ts";
import { type OutputFile, outputFiles } from "./output-files.ts";
import { table } from "./table.ts";

export interface OutputsOptions {
  readonly save?: string;
  readonly open?: boolean;
  readonly output: "text" | "json";
}

/** What `--open` shows, the first of these that there is. */
const SHOWN = ["html", "pdf", "md", "txt", "csv", "json"];

/** `kubectl agentic outputs`: what a run has made, and its bytes. @returns the exit code */
export async function outputs(
  cluster: Cluster,
  name: string,
  { save, open = false, output }: OutputsOptions,
): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const files = outputFiles(workload);
  if (files.length === 0) {
    process.stderr.write(`kubectl agentic: ${name} has no outputs: ${whyNone(workload)}\n`);
    return EXIT.failed;
  }
  const folder = save ?? (open ? await mkdtemp(join(tmpdir(), `${name}-`)) : undefined);
  const listed = await (folder === undefined ? measured(cluster, files) : saved(cluster, workload, files, folder));
  if (output === "json") process.stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
  else {
    const last = folder === undefined ? ("key" as const) : ("path" as const);
    const rows = listed.map((one) => [one.name, one.type, String(one.size ?? "?"), one[last] ?? ""]);
    process.stdout.write(table([["NAME", "TYPE", "BYTES", last.toUpperCase()], ...rows]));
  }
  const shown = SHOWN.flatMap((type) => listed.find((one) => one.type === type) ?? [])[0] ?? listed[0];
  if (open && shown?.path !== undefined) await openProgram(shown.path);
  return EXIT.succeeded;
}

type Listed = Omit<OutputFile, "file"> & { readonly size?: number; readonly path?: string };

/** Without the size of what is gone. The list is the status's: it is there also where no bytes can be read. */
async function measured(cluster: Cluster, files: readonly OutputFile[]): Promise<Listed[]> {
  const problems = new Set<string>();
  const listed = await Promise.all(
    files.map(async ({ file: _, ...one }) => {
      const size = await cluster.artifacts.size(one.key).catch((error: Error) => void problems.add(error.message));
      return size === undefined ? one : { ...one, size };
    }),
  );
  for (const problem of problems) process.stderr.write(`kubectl agentic: sizes are not known: ${problem}\n`);
  return listed;
}

async function saved(
  cluster: Cluster,
  { metadata }: SeenWorkload,
  files: readonly OutputFile[],
  folder: string,
): Promise<Listed[]> {
  await mkdir(folder, { recursive: true });
  const all: Listed[] = [];
  for (const { file, ...one } of files) {
    const bytes = await cluster.artifacts.get(metadata, one.key);
    const path = join(folder, file);
    await replaceFile(path, bytes);
    all.push({ ...one, size: bytes.length, path });
  }
  return all;
}

function whyNone({ status }: SeenWorkload): string {
  const completed = status?.conditions?.find(({ type }) => type === "Completed");
  return completed?.message ? completed.message : `the run is ${status?.phase ?? "Pending"}`;
}
