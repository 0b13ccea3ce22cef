import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { usageSchema, workloadRefSchema } from "../lib/step.ts";

const phaseSchema = z.enum(["Running", "AwaitingReview", "Succeeded", "Rejected", "Failed", "Interrupted"]);

/** `run.json` in a run's folder: what `agentic status` shows. Written whole at each change of phase. */
const runStateSchema = z.object({
  workload: workloadRefSchema,
  /** The workload file, as given. */
  file: z.string(),
  /** The command that goes on. Absent in the folders of older versions. */
  command: z.string().optional(),
  run: z.string(),
  phase: phaseSchema,
  reason: z.string().optional(),
  message: z.string().optional(),
  pid: z.int(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  sites: z.object({ total: z.int(), scraped: z.int(), analyzed: z.int(), failed: z.int() }),
  usage: usageSchema,
  /** The review page, while it is served. */
  reviewUrl: z.string().optional(),
  /** Paths of the report's files, by format. */
  report: z.record(z.string(), z.string()).optional(),
});
export type RunState = z.infer<typeof runStateSchema>;

/** Paths in a run's folder. */
export interface RunFolder {
  readonly path: string;
  readonly state: string;
  readonly artifacts: string;
  readonly reviews: string;
  readonly redis: string;
  readonly key: string;
}

export function runFolder(path: string): RunFolder {
  const root = resolve(path);
  return {
    path: root,
    state: join(root, "run.json"),
    artifacts: join(root, "artifacts"),
    reviews: join(root, "reviews"),
    redis: join(root, "redis"),
    key: join(root, "signing-key.pem"),
  };
}

/** Where a workload runs when --out does not say: ./agentic-runs/NAME. */
export function defaultFolder(name: string): string {
  return join("agentic-runs", name);
}

export async function writeRunState(folder: RunFolder, state: RunState): Promise<void> {
  await mkdir(folder.path, { recursive: true });
  const next = `${folder.state}.${process.pid}`;
  await writeFile(next, `${JSON.stringify(state, null, 2)}\n`);
  await rename(next, folder.state);
}

/** @returns undefined where no run has been. */
export async function readRunState(folder: RunFolder): Promise<RunState | undefined> {
  let text: string;
  try {
    text = await readFile(folder.state, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return runStateSchema.parse(JSON.parse(text));
}
