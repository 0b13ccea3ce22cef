import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { comparisonSchema, reviewSchema } from "../crd/agentworkload.ts";
import { usageSchema, workloadRefSchema } from "../engine/result.ts";
import { replaceFile } from "../lib/edges/durable-files.ts";
import { schemaProblems } from "../lib/schema-problems.ts";

const phaseSchema = z.enum(["Running", "AwaitingReview", "Succeeded", "Rejected", "Failed", "Interrupted"]);

/** `run.json` in a run's folder: what `agentic status` shows. Its fields are those of an AgentWorkload's status, where they mean the same. */
const runStateSchema = z.object({
  workload: workloadRefSchema,
  /** NAMESPACE/NAME */
  pipeline: z.string(),
  /** The command that continues the run. */
  command: z.string(),
  run: z.string(),
  /** sha256 of the frozen pipeline: with another one the same workload is another run. */
  frozen: z.string(),
  /** Id of the run's trace (OpenTelemetry), 32 hex characters. */
  trace: z.string(),
  phase: phaseSchema,
  reason: z.string().optional(),
  message: z.string().optional(),
  pid: z.int(),
  /** When the first command of this run started. */
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  steps: z
    .array(
      z.object({
        name: z.string(),
        total: z.int(),
        running: z.int(),
        succeeded: z.int(),
        failed: z.int(),
        skipped: z.int(),
        /** US dollars. */
        costUsd: z.number(),
        leftOut: z.int().optional(),
      }),
    )
    .readonly(),
  items: z.object({ total: z.int(), done: z.int(), failed: z.int() }),
  usage: usageSchema,
  /** What each item cost, and each step that runs once. */
  itemCosts: z
    .array(
      z.object({
        list: z.string().optional(),
        item: z.string().optional(),
        step: z.string().optional(),
        costUsd: z.number(),
      }),
    )
    .readonly()
    .default([]),
  modelCosts: z
    .array(z.object({ model: z.string(), costUsd: z.number() }))
    .readonly()
    .default([]),
  reviews: z.array(reviewSchema),
  /** Addresses of the review pages that are served now, by gate. */
  reviewUrls: z.record(z.string(), z.string()).optional(),
  /** Paths of the run's outputs, by name. */
  outputs: z.record(z.string(), z.string()).optional(),
  /** The run that this one is compared with. */
  comparedWith: comparisonSchema.optional(),
  /** The last run in this folder that succeeded: the artifact key of its results (engine/comparison.ts), and when it ended. */
  lastSucceeded: z.object({ results: z.string(), finishedAt: z.iso.datetime() }).optional(),
});
export type RunState = z.infer<typeof runStateSchema>;

/** Paths in a run's folder. */
export interface RunFolder {
  readonly path: string;
  readonly state: string;
  readonly artifacts: string;
  readonly reviews: string;
  readonly redis: string;
  /** Private key that signs step tokens and review links. */
  readonly key: string;
  /** How the steps ended. */
  readonly journal: string;
  /** Settings for agents that run beside this command. */
  readonly agentEnv: string;
  /** Outputs of a fan-out. */
  readonly outputs: string;
  /** What the run did, signed (engine/evidence.ts). */
  readonly evidence: string;
  /** Progress of `agentic eval`. */
  readonly evaluation: string;
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
    journal: join(root, "steps.jsonl"),
    agentEnv: join(root, "agent.env"),
    outputs: join(root, "outputs"),
    evidence: join(root, "evidence.json"),
    evaluation: join(root, "evaluation"),
  };
}

/** Where a workload runs when --out does not say: ./agentic-runs/NAME. */
export function defaultFolder(name: string): string {
  return join("agentic-runs", name);
}

/** `--compare-with`: a workload's name, or the folder of a run. */
export function compareFolder(nameOrFolder: string): RunFolder {
  return runFolder(/^[-a-z0-9]+$/.test(nameOrFolder) ? defaultFolder(nameOrFolder) : nameOrFolder);
}

export async function writeRunState(folder: RunFolder, state: RunState): Promise<void> {
  await mkdir(folder.path, { recursive: true });
  await replaceFile(folder.state, `${JSON.stringify(state, null, 2)}\n`);
}

/** The state of a folder's last run; undefined where no run has been; or a sentence that says why it cannot be read. */
export async function readRunState(folder: RunFolder): Promise<{ state?: RunState; problem?: string }> {
  let text: string;
  try {
    text = await readFile(folder.state, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    return { state: runStateSchema.parse(JSON.parse(text)) };
  } catch (error) {
    const why = error instanceof z.ZodError ? schemaProblems(error) : (error as Error).message;
    return { problem: `${folder.state} cannot be read (${text.trim() === "" ? "it is empty" : why})` };
  }
}
