import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { listRef } from "../../../engine/pipeline.ts";
import type { Item } from "../../../engine/result.ts";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import { connectKube, type KubeObject as Read } from "../../../lib/edges/kube.ts";
import { kubeConfig } from "../../../lib/edges/kube-calls.ts";
import { WORKLOAD } from "../../unit/reconcile/harness.ts";
import { playInMemory, type RandomRun, randomRun } from "../../unit/reconcile/random-pipeline.ts";
import { createAgents, deleteAgent } from "../agents.ts";
import { apply, ask, kubeconfig, kubectl } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { executionKey, executionTimes, pipeline, run, testAgent } from "../tenant.ts";
import { SYSTEM } from "../workload.ts";
import { drawStrikes, faultsOf } from "./faults.ts";

// Random pipelines over an agent that counts its executions from outside, on a cluster whose parts are killed and wiped at random. Each
// run must end as the same pipeline does in memory, where nothing ever fails, and do no step again that had ended.

const AGENT = "counting";
const AT_ONCE = 4;
/** A run that has not ended so long after the last fault is stuck. */
const STUCK_MS = 300_000;
/** Times in a Workflow are whole seconds. */
const CLOCK_MS = 2000;
/** Between two faults. A killed pod takes ten to twenty seconds to be back on two cores: more faults, and nothing goes on. */
const PAUSE = { min: 4000, max: 20_000 };

export interface Verification {
  readonly seed: number;
  /** How long faults go on, and runs are started. */
  readonly ms: number;
  readonly say: (line: string) => void;
}

export interface Verified {
  readonly runs: number;
  /** Of these, those that ended in phase Succeeded. */
  readonly succeeded: number;
  /** How often each struck. */
  readonly faults: Readonly<Record<string, number>>;
  readonly executions: number;
  /** Executions that a fault made necessary: their step had not ended. */
  readonly repeated: number;
  /** What is wrong; none: all of it holds. */
  readonly findings: readonly string[];
}

const { workloads, workflows } = connectKube(kubeConfig({ file: kubeconfig }));

/** @throws Error where the cluster itself cannot be used */
export async function verify({ seed, ms, say }: Verification): Promise<Verified> {
  const name = (index: number): string => `verify-${seed}-${index}`;
  await ask({ namespace: SYSTEM, name: "inbox" }, "/events", { method: "DELETE" });
  await createAgents(await testAgent(AGENT, { STEP_MS: "400" }));
  const begun = Date.now();
  const drawn = fc.sample(randomRun, { seed, numRuns: 1000 });
  const findings: string[] = [];
  const totals = { runs: 0, succeeded: 0, executions: 0, repeated: 0 };
  const all = faultsOf(TENANT, AGENT);
  const struck: Record<string, number> = Object.fromEntries(all.map((fault) => [fault.name, 0]));

  async function faults(): Promise<void> {
    for (const { fault, pause } of drawStrikes(seed, all, { count: 1000, ...PAUSE })) {
      await sleep(pause);
      if (Date.now() - begun > ms) return;
      try {
        await fault.strike();
        say(`fault: ${fault.name}`);
        struck[fault.name] = (struck[fault.name] ?? 0) + 1;
      } catch (error) {
        say(`fault: ${fault.name} missed: ${error instanceof Error ? error.message.slice(0, 100) : error}`);
      }
    }
  }

  async function oneAfterTheOther(): Promise<void> {
    for (;;) {
      const index = totals.runs;
      const one = drawn[index];
      if (!one || Date.now() - begun > ms) return;
      totals.runs++;
      const found = await verifyOne(one, name(index), () => begun + ms + STUCK_MS);
      say(`${name(index)}: ${found.phase}, ${found.executions} executions, ${found.repeated} repeated`);
      totals.executions += found.executions;
      totals.repeated += found.repeated;
      if (found.phase === "Succeeded") totals.succeeded++;
      findings.push(...found.findings.map((finding) => `${name(index)}: ${finding}`));
    }
  }

  await Promise.all([faults(), ...Array.from({ length: AT_ONCE }, oneAfterTheOther)]);
  await kubectl(["-n", TENANT, "delete", "agentworkloads,agentpipelines", "--all", "--timeout=180s"]);
  await deleteAgent(TENANT, AGENT);
  return { ...totals, faults: struck, findings };
}

interface One {
  readonly phase: string;
  readonly executions: number;
  readonly repeated: number;
  readonly findings: readonly string[];
}

async function verifyOne(drawn: RandomRun, name: string, until: () => number): Promise<One> {
  const { inputs, replicas, failedItems, rejected, draw } = drawn;
  const steps = drawn.pipeline.steps.map((step) => (step.gate ? step : { ...step, agent: AGENT, with: ["draw"] }));
  const schema = {
    type: "object",
    properties: { a: { type: "array" }, b: { type: "array" }, draw: { type: "object" } },
  };
  await apply(
    pipeline(name, { ...drawn.pipeline, inputs: { schema }, steps }),
    run(name, {
      pipeline: name,
      inputs: { ...inputs, draw },
      replicas,
      tolerate: { failedItems },
      // Kills are no failures of the step.
      retry: { limit: 20 },
    }),
  );
  const expected = await inMemory(drawn);
  const ref = { namespace: TENANT, name };
  for (;;) {
    const object = await workloads.get(ref).catch(() => undefined);
    const status = statusOf(object);
    if (object && status.finishedAt !== undefined) return compare(object, drawn, expected);
    if (Date.now() > until())
      return { ...NOTHING, phase: status.phase ?? "", findings: [`is stuck: ${JSON.stringify(status)}`] };
    if (object) await decideAll(object, rejected);
    await sleep(500);
  }
}

const NOTHING = { executions: 0, repeated: 0 };

interface Status {
  readonly phase?: string;
  readonly workflow?: string;
  readonly finishedAt?: string;
  readonly steps?: readonly Record<string, unknown>[];
  readonly reviews?: readonly { readonly gate: string; readonly decision?: string }[];
}

const statusOf = (object: Read | undefined): Status => (object?.status ?? {}) as Status;

/** As approve writes it. By its link, which a Broker that is killed may lose, nothing could be decided then. */
async function decideAll(object: Read, rejected: ReadonlySet<string>): Promise<void> {
  const { reviews = [], ...status } = statusOf(object);
  if (reviews.every(({ decision }) => decision !== undefined)) return;
  const decided = reviews.map((review) =>
    review.decision === undefined
      ? {
          ...review,
          decision: rejected.has(review.gate) ? "rejected" : "approved",
          by: "verify",
          how: "ReviewLink",
          automatic: false,
          at: new Date().toISOString(),
        }
      : review,
  );
  // A conflict is decided by the next look.
  await workloads.putStatus(object, { ...status, reviews: decided }).catch(() => undefined);
}

interface Expected {
  readonly phase: string | undefined;
  readonly steps: readonly object[];
  readonly executions: ReadonlySet<string>;
}

/** What the spec asks for: the same engine over a world in which nothing fails. */
async function inMemory(drawn: RandomRun): Promise<Expected> {
  const world = await playInMemory(drawn);
  return {
    phase: world.status.phase,
    steps: (world.status.steps ?? []).map(counted),
    executions: new Set(world.requests.map(({ step, input }) => executionKey(step, input.item))),
  };
}

/** Without what it cost. */
function counted({ name, total, succeeded, failed, skipped }: Record<string, unknown>): object {
  return { name, total, succeeded, failed, skipped };
}

async function compare(object: Read, drawn: RandomRun, expected: Expected): Promise<One> {
  const status = statusOf(object);
  const findings: string[] = [];
  const differs = (what: string, is: unknown, should: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      findings.push(`${what} is ${JSON.stringify(is)}, expected ${JSON.stringify(should)}`);
  };
  differs("the phase", status.phase, expected.phase);
  const times = await executionTimes(object.metadata.uid);
  // A run that fails stops wherever it is.
  if (expected.phase !== "Failed") {
    differs("the count of steps", (status.steps ?? []).map(counted), expected.steps);
    differs("what was executed", [...times.keys()].toSorted(), [...expected.executions].toSorted());
  }
  for (const { key, finishedAt } of await endedSteps(object, drawn, expected.executions))
    for (const at of times.get(key) ?? [])
      if (at > finishedAt + CLOCK_MS) findings.push(`${key} was executed again after it had ended`);
  const executions = [...times.values()].reduce((sum, { length }) => sum + length, 0);
  return { phase: status.phase ?? "", executions, repeated: executions - times.size, findings };
}

/** By the execution that each node stands for: when it ended, in ms. */
async function endedSteps(
  object: Read,
  drawn: RandomRun,
  executions: ReadonlySet<string>,
): Promise<{ key: string; finishedAt: number }[]> {
  const { workflow } = statusOf(object);
  const found = workflow && (await workflows.get({ namespace: object.metadata.namespace, name: workflow }));
  if (!found) return [];
  return argoEngine.view(found).nodes.flatMap(({ role, step, index, finishedAt }) => {
    if (role !== "step" || finishedAt === undefined) return [];
    const item = index === undefined ? undefined : itemsOf(step, drawn, executions)[index];
    return [{ key: executionKey(step, item), finishedAt: Date.parse(finishedAt) }];
  });
}

/** What a step runs over, in the order of its nodes. Those before it that were skipped or did not run returned nothing. */
function itemsOf(name: string, drawn: RandomRun, executions: ReadonlySet<string>): (Item | undefined)[] {
  const forEach = drawn.pipeline.steps.find((step) => step.name === name)?.forEach;
  if (forEach === undefined) return [undefined];
  const ref = listRef(forEach);
  if ("input" in ref) return drawn.inputs[ref.input] as Item[];
  return itemsOf(ref.step, drawn, executions).flatMap((item) => {
    if (!executions.has(executionKey(ref.step, item))) return [];
    const { outcome, items = [] } = drawn.answer({
      workload: WORKLOAD,
      step: ref.step,
      input: { params: {}, from: {}, ...(item === undefined ? {} : { item }) },
    });
    return outcome === "succeeded" ? items : [];
  });
}
