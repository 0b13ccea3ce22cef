import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import { allowListFor } from "../../lib/allow-list.ts";
import { sha256 } from "../../lib/canonical.ts";
import { getJson } from "../../lib/edges/artifacts.ts";
import { RetryableError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { ResolvedHost } from "../../lib/resolved-host.ts";
import type { StepRequest } from "../../lib/step.ts";
import { mintStepToken } from "../../lib/token.ts";
import { findingsSchema } from "../../pipeline/findings.ts";
import { orderOf, type RunOrder } from "../../pipeline/run-order.ts";
import { stagesOf } from "../../pipeline/stages.ts";
import { program, sameCommand } from "../invocation.ts";
import { showProgress } from "../progress.ts";
import { type RunFolder, type RunState, readRunState, writeRunState } from "../run-folder.ts";
import { createApprover, reviewToken } from "./approver.ts";
import { createBroker, Interrupted } from "./broker.ts";
import { passGate } from "./gate.ts";
import { patiently } from "./patience.ts";
import { noSpace } from "./redis-server.ts";
import { createReviewServer } from "./review-server.ts";
import { type RunEnd, runPipeline } from "./runner.ts";
import { signingKey } from "./signing-key.ts";
import { type Stack, startStack } from "./stack.ts";

export interface LocalRunOptions {
  readonly approve?: true;
  readonly redis?: string;
  readonly resolve: ReadonlyMap<string, ResolvedHost>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** A store may be away this long before the run is given up for now. */
const STORE_PATIENCE_MS = 10_000;
/** Minutes: a redelivery gets a token of its own. */
const TOKEN_LIFE_MS = 10 * 60_000;

/** Runs a workload in its folder to the end of the run. @throws Interrupted when it cannot go on now; nothing is lost then. */
export async function localRun(
  workload: AgentWorkload,
  file: string,
  folder: RunFolder,
  options: LocalRunOptions,
): Promise<RunState> {
  const order = orderOf(workload, localUid(workload));
  const before = await readRunState(folder);
  if (before?.phase === "Succeeded" && before.run === order.run) {
    const age = Date.now() - new Date(before.finishedAt ?? before.startedAt).getTime();
    if (age < parseDuration(workload.spec.freshness)) {
      options.say(
        `Already done at ${before.finishedAt}: nothing to repeat. A changed spec is a new run; so is this one once it is older than spec.freshness (${workload.spec.freshness}).`,
      );
      return before;
    }
    await rename(folder.reviews, `${folder.reviews}-${before.finishedAt ?? before.startedAt}`);
  }
  const keys = await signingKey(folder.key);
  const stack = await startStack(workload, folder, keys, options);
  try {
    return await runOn(stack, workload, order, file, folder, keys, options);
  } finally {
    await stack.stop();
  }
}

/** A workload on one machine has no uid from an API server: its name stands for it. */
function localUid({ metadata }: AgentWorkload): string {
  return metadata.uid ?? sha256(`${metadata.namespace}/${metadata.name}`).slice(0, 32);
}

async function runOn(
  stack: Stack,
  workload: AgentWorkload,
  order: RunOrder,
  file: string,
  folder: RunFolder,
  keys: Awaited<ReturnType<typeof signingKey>>,
  options: LocalRunOptions,
): Promise<RunState> {
  const { spec } = workload;
  const chain = stagesOf(order.pipeline).flatMap((stage) => ("chain" in stage ? stage.chain.map((s) => s.name) : []));
  const view = showProgress(process.stderr, spec.sites.length, chain, () => Date.now());
  const startedAt = new Date().toISOString();
  const signal = stack.stopping;
  const stateNow = (over: Partial<RunState> & Pick<RunState, "phase">): RunState => ({
    workload: order.workload,
    file,
    command: sameCommand(),
    run: order.run,
    pid: process.pid,
    startedAt,
    sites: {
      total: spec.sites.length,
      scraped: view.progress.succeeded.get("scrape") ?? 0,
      analyzed: view.progress.succeeded.get("analyze") ?? 0,
      failed: view.progress.failed,
    },
    usage: view.progress.usage,
    ...over,
  });
  await writeRunState(folder, stateNow({ phase: "Running" }));

  const reviewServer = createReviewServer(
    createApprover({ ...stack, publicKey: keys.publicKey, draining: stack.stopping }),
  );
  const dispatch = createBroker({
    functions: stack.functions,
    signal,
    patienceMs: STORE_PATIENCE_MS,
    mintToken: (id, request) =>
      mintStepToken(
        {
          sub: order.workload.uid,
          jti: id,
          run: order.run,
          allow: allowListFor(request.input.item, spec.egress.allow),
          ...(spec.budget ? { budgetUsd: spec.budget.maxUsd } : {}),
        },
        keys.privateKey,
        new Date(Date.now() + TOKEN_LIFE_MS),
      ),
  });
  try {
    const end = await runPipeline(order, {
      dispatch: (id: string, request: Omit<StepRequest, "token">) => dispatch(id, request),
      recorded: (id) => patiently(() => stack.recorded(id), STORE_PATIENCE_MS, signal),
      async reviewed() {
        const review = await stack.reviews.read(order.workload);
        return review?.run === order.run ? getJson(stack.artifacts, review.findings, findingsSchema) : undefined;
      },
      async decide(findings, usage) {
        view.done();
        return passGate(findings, usage, {
          reviews: stack.reviews,
          artifacts: stack.artifacts,
          timeoutMs: parseDuration(spec.review.timeout),
          onTimeout: spec.review.onTimeout,
          approveAs: spec.review.required
            ? options.approve
              ? "agentic run --approve"
              : undefined
            : "spec.review.required: false",
          costOfApproving: stack.costOfReport,
          signal,
          now: () => new Date(),
          async onOpen(review) {
            const page = await reviewServer.open(review);
            const reviewUrl = `${page}?token=${await reviewToken(keys.privateKey, review)}`;
            await writeRunState(folder, stateNow({ phase: "AwaitingReview", reviewUrl }));
            options.say(
              `Waiting for the review until ${review.timeoutAt} (then: ${review.onTimeout}). Look and decide at\n  ${reviewUrl}\nor with\n  ${program()} approve ${order.workload.name} --out ${folder.path}`,
            );
          },
        });
      },
      emit: (event) => view.on(event),
      signal,
      now: () => new Date(),
    });
    view.done();
    const state = stateNow(await finish(end, stack, folder));
    await writeRunState(folder, state);
    return state;
  } catch (error) {
    view.done();
    const why = signal.aborted && signal.reason instanceof Interrupted ? signal.reason : interruption(error, folder);
    if (why instanceof Interrupted)
      await writeRunState(folder, stateNow({ phase: "Interrupted", reason: why.reason, message: why.message })).catch(
        () => {},
      );
    throw why;
  } finally {
    await reviewServer.close();
  }
}

/** A full disk and a store that is away are not the run's own trouble. */
function interruption(error: unknown, folder: RunFolder): unknown {
  if (error instanceof RetryableError) return new Interrupted(error.reason, error.message, { cause: error });
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return noSpace(folder.path, error);
}

async function finish(
  end: RunEnd,
  stack: Stack,
  folder: RunFolder,
): Promise<Partial<RunState> & Pick<RunState, "phase">> {
  const files: Record<string, string> = {};
  const made = end.outcomes.get("report")?.[0];
  if (made?.outcome === "succeeded") {
    for (const [format, key] of Object.entries(made.artifacts)) {
      const path = join(folder.path, `report.${key.slice(key.lastIndexOf(".") + 1)}`);
      await writeFile(path, await stack.artifacts.get(key));
      files[format] = path;
    }
  }
  return {
    phase: end.phase,
    ...(end.reason === undefined ? {} : { reason: end.reason }),
    ...(end.message === undefined ? {} : { message: end.message }),
    usage: end.usage,
    finishedAt: new Date().toISOString(),
    ...(Object.keys(files).length > 0 ? { report: files } : {}),
  };
}
