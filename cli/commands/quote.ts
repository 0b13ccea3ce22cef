import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { usageOf } from "../../engine/outcomes.ts";
import { redoneSince } from "../../engine/run.ts";
import { modelEndpoint } from "../../lib/config.ts";
import { createCarryCorrections } from "../../lib/durable/carried-corrections.ts";
import { createFindPrevious } from "../../lib/durable/previous-results.ts";
import { createResultReader } from "../../lib/durable/results.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { createFolderReviews } from "../../lib/edges/reviews/folder.ts";
import { EXIT } from "../exit-code.ts";
import { chooseComparison } from "../local/comparison.ts";
import { type Beginning, planBeginning } from "../local/earlier-run.ts";
import { lastOpened } from "../local/gate.ts";
import { readJournal } from "../local/journal.ts";
import { type RecordedEdges, recordedRun } from "../local/recorded-run.ts";
import { findReusable } from "../local/step-records.ts";
import { quoteOf, quoteText } from "../quote.ts";
import type { ResolvedWorkload } from "../resolve.ts";
import { type ResolveFilesOptions, resolveFiles } from "../resolve-files.ts";
import { defaultFolder, type RunFolder, readRunState, runFolder } from "../run-folder.ts";

export interface QuoteOptions extends ResolveFilesOptions {
  readonly out?: string;
  readonly output: "text" | "json";
}

/** `agentic quote FILE...`: what `agentic run` would do now. Starts nothing, changes nothing. @returns the exit code */
export async function quote(files: readonly string[], options: QuoteOptions): Promise<number> {
  const resolved = await resolveFiles(files, options);
  if ("problem" in resolved) {
    process.stderr.write(`${resolved.problem}\n`);
    return EXIT.invalid;
  }
  const { metadata, spec } = resolved.workload;
  const folder = runFolder(options.out ?? defaultFolder(metadata.name));
  const { state, problem } = await readRunState(folder);
  if (problem) process.stderr.write(`${problem}\n`);
  const frozen = sha256(canonicalJson(resolved.run.pipeline));
  const { beginning, without } = planBeginning(resolved, frozen, state, new Date());
  const isHeld = spec.suspend || spec.stop;
  const isOver = isHeld || "done" in beginning;
  const left = without === "all" ? undefined : state;
  const chosen = "done" in beginning ? {} : await chooseComparison(resolved, folder, left, beginning);
  const comparison = left && "done" in beginning ? left.comparedWith : chosen.comparison;
  const compared = comparison ? { ...resolved, run: { ...resolved.run, comparison } } : resolved;
  const compareIn = createFolderArtifacts((chosen.from ?? folder).artifacts);
  const findPrevious = createFindPrevious(compareIn, createResultReader(compareIn));
  const carryCorrections = createCarryCorrections(createFolderArtifacts(folder.artifacts));
  const recorded = without === "all" ? NOTHING : await recordedEdges(compared, folder, beginning, without);
  const { run, outcomes } = await recordedRun(compared, { ...recorded, findPrevious, carryCorrections });
  const spentUsd = Math.max(left?.usage.costUsd ?? 0, usageOf(outcomes).costUsd);
  const hasModel = modelEndpoint(process.env) !== undefined;
  const quoted = quoteOf(run, outcomes, { isReuseKnown: true, hasModel, spentUsd, isOver });
  process.stdout.write(options.output === "json" ? `${JSON.stringify(quoted, null, 2)}\n` : quoteText(quoted));
  if (!hasModel)
    process.stderr.write("agentic: no model is configured (OPENAI_API_KEY or LLM_BASE_URL), so none is counted\n");
  if ("done" in beginning)
    process.stderr.write(`agentic: already done at ${beginning.done.finishedAt}: nothing to repeat\n`);
  if (isHeld) process.stderr.write("agentic: nothing starts: spec.suspend or spec.stop is true\n");
  return isHeld ? EXIT.held : EXIT.succeeded;
}

type Left = Pick<RecordedEdges, "recorded" | "review">;
const NOTHING: Left = { recorded: async () => undefined, review: async () => undefined };

/** What earlier commands left in the run's folder, as this one would find it. */
async function recordedEdges(
  { run: { workload }, run }: ResolvedWorkload,
  folder: RunFolder,
  beginning: Beginning,
  without: "all" | "reviews" | undefined,
): Promise<Left> {
  const artifacts = createFolderArtifacts(folder.artifacts);
  const reviews = createFolderReviews(folder.reviews);
  const { reusableSince, isContinued } =
    "done" in beginning ? { reusableSince: new Date(0), isContinued: true } : beginning;
  const recorded = {
    workload,
    journal: await readJournal(folder.journal),
    results: createResultReader(artifacts),
    artifacts,
    reusableSince,
    failuresStandUntil: isContinued ? await lastOpened(run, reviews) : undefined,
  };
  return {
    recorded: (of, identity, step) => findReusable(recorded, identity, redoneSince(of, step)),
    review: async (gate) => (without === undefined ? (await reviews.read(workload, gate))?.review : undefined),
  };
}
