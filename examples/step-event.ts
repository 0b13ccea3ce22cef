/**
 * An AgentWorkload walked by hand: makes the event of one step, from what the steps before it left in Redis, and prints the
 * arguments by which `func invoke` sends it (docs/func.md).
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { type EventByHand, readSigningKey, stepRequested, writeInvocation } from "../agent/invocation.ts";
import { formatProblems, parseWorkload } from "../crd/parse.ts";
import { allowListFor } from "../lib/allow-list.ts";
import { readSettings } from "../lib/config.ts";
import { connectArtifacts } from "../lib/connect.ts";
import { connectRedis } from "../lib/edges/redis.ts";
import { identityOf, stepInput } from "../pipeline/dispatch.ts";
import type { Step } from "../pipeline/pipeline.ts";
import { orderOf } from "../pipeline/run-order.ts";
import { outcomesSoFar } from "./walked.ts";
import { openReview, reviewed } from "./walked-review.ts";

const USAGE = `usage: func invoke --target URL $(node examples/step-event.ts WORKLOAD STEP [SITE] --key FILE [--file FILE])
  WORKLOAD  an AgentWorkload's file
  STEP      scrape or analyze, of a SITE; review, which asks approve for its decision; report
  --key     PEM of the Ed25519 key whose public half the functions have as STEP_TOKEN_PUBLIC_KEY and REVIEW_LINK_PUBLIC_KEY
  --file    where the event's data goes (default: step-event.json)
REDIS_URL and ARTIFACTS_URL as the functions have them.`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: "string" }, file: { type: "string", default: "step-event.json" } },
  });
  const [file, step, site] = positionals;
  if (file === undefined || step === undefined || positionals.length > 3) throw new Error(USAGE);
  console.log(await writeInvocation(await eventOf(file, step, site, values.key), values.file));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function eventOf(
  file: string,
  name: string,
  site: string | undefined,
  keyFile: string | undefined,
): Promise<EventByHand> {
  const parsed = parseWorkload(await readFile(file, "utf8"));
  if ("errors" in parsed) throw new Error(formatProblems(parsed.errors, file));
  const { metadata, spec } = parsed.workload;
  const key = await readSigningKey(keyFile);
  const order = orderOf(parsed.workload, metadata.uid ?? `by-hand-${metadata.namespace}-${metadata.name}`);
  const step = order.pipeline.steps.find((each) => each.name === name);
  if (!step) throw new Error(`${name} is none of the steps: ${order.pipeline.steps.map((s) => s.name).join(", ")}`);
  checkSite(step, site, spec.sites);

  const settings = readSettings();
  const artifacts = await connectArtifacts(settings);
  const redis = await connectRedis(settings.REDIS_URL);
  try {
    const outcomes = await outcomesSoFar(order, redis);
    if (step.gate) return await openReview(order, outcomes, { artifacts, settings, key, spec });
    if (step.after.includes("review")) outcomes.set("review", [await reviewed(order, artifacts, settings)]);
    const input = stepInput(step, order.params, outcomes, site);
    for (const before of step.after)
      if (!input.from[before]?.some(({ outcome }) => outcome === "succeeded"))
        throw new Error(`${before}${site ? ` of ${site}` : ""} has not succeeded: invoke it before ${name}`);
    const request = {
      workload: order.workload,
      run: order.run,
      step: name,
      input,
      deadline: new Date(Date.now() + order.deadlineMs[step.deadline]).toISOString(),
      retryLimit: order.retryLimit,
    };
    const permitted = {
      allow: allowListFor(site, spec.egress.allow),
      ...(spec.budget ? { budgetUsd: spec.budget.maxUsd } : {}),
    };
    return await stepRequested(identityOf(order.workload.uid, step, input), request, permitted, key);
  } finally {
    redis.disconnect();
  }
}

function checkSite({ name, forEach }: Step, site: string | undefined, sites: readonly string[]): void {
  if (!forEach && site !== undefined) throw new Error(`${name} is done once, not for a site`);
  if (forEach && (site === undefined || !sites.includes(site)))
    throw new Error(`${name} is done for a site, one of\n  ${sites.join("\n  ")}`);
}
