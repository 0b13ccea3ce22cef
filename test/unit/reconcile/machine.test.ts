import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Review } from "../../../crd/agentworkload.ts";
import { viewWorkflow } from "../../../functions/reconcile/argo/nodes.ts";
import { hasEnded, type RunView } from "../../../functions/reconcile/run-engine.ts";
import { parseStepOutput } from "../../../functions/reconcile/workload/node-output.ts";
import type { Licence } from "../../../lib/licence/licence.ts";
import { type Accounts, type Claim, NO_ACCOUNTS, parseAccounts, settle } from "../../../lib/quota/accounts.ts";
import type { StepRequest } from "../../../lib/step-events.ts";
import { CHAIN } from "./given.ts";
import { type Chance, createHarness, done, type Faults, type Harness, keyOf, REF, UID } from "./harness.ts";

// A workload's life as a machine: what may happen to it, in any order, and what holds after each happening. converge.test.ts plays runs
// of one spec; here the spec is edited and taken back, bytes are lost, and gates time out.

const ITEMS = ["a", "b", "c"].map((host) => `http://${host}.example/`);
const GATE_TIMEOUT_MS = 60 * 60_000;

type Question = "why?" | "how?" | "invalid";

/** Hours pass at random: no deadline is meant to end a step here, nor is a success to become old. */
function specOf(question: Question, suspend: boolean): Record<string, unknown> {
  return {
    inputs: { items: ITEMS, question: question === "invalid" ? 42 : question },
    replicas: 2,
    tolerate: { failedItems: 1 },
    deadlines: { item: "1000d", run: "2000d" },
    freshness: "2000d",
    review: { timeout: "1h", onTimeout: "Reject" },
    suspend,
  };
}

/** What whoever owns the workload has asked for. */
interface Model {
  question: Question;
  /** The last one that was valid. */
  valid: Question;
  suspend: boolean;
  deleted: boolean;
}

interface World extends Harness {
  readonly faults: Faults;
  readonly chance: Chance;
  /** What should not have been. */
  readonly wrong: string[];
  /** Each decision that was acknowledged, by run, gate and digest. */
  readonly decisions: Map<string, Review>;
  /** The store has lost bytes. */
  hasLostBytes: boolean;
  /** Requests of steps that succeeded, by identity: from the end of their first execution until Redis or their bytes are lost. */
  readonly succeeded: Set<string>;
  /** Runs that had begun when this was last looked at. */
  begun: readonly string[];
}

function createWorld(numbers: readonly number[]): World {
  let at = 0;
  const chance = { next: () => numbers[at++ % numbers.length] ?? 0 };
  const faults: Faults = { rate: 0 };
  const wrong: string[] = [];
  const succeeded = new Set<string>();
  const world: Harness = createHarness({
    pipeline: CHAIN,
    spec: specOf("why?", false),
    chance,
    faults,
    // The last item never answers. Everything else works, and no two executions leave the same bytes.
    answer: (request, execution) => {
      const { step, input } = request;
      if (step === "fetch" && input.item === ITEMS[2])
        return { ...done(), outcome: "failed", reason: "Timeout", message: `no answer, ${execution}` };
      const key = identityKey(request);
      if (succeeded.has(key)) wrong.push(`done twice: ${key}`);
      succeeded.add(key);
      return done({ output: `${step} ${execution}`, artifacts: { [step]: keyOf(`${step}-${execution}`) } });
    },
    onRequest: (request) => {
      for (const usage of [USAGE, INSTALLATIONS])
        if (!accountsIn(world, usage).workloads[UID]?.open?.place)
          wrong.push(`asked without a place of ${usage}: ${identityKey(request)}`);
      if (isSettled(world, request)) wrong.push(`asked again: ${identityKey(request)}`);
    },
  });
  world.objects.configMaps.set("agentic-quotas", QUOTAS);
  world.licence.reading = VALID;
  const decisions = new Map<string, Review>();
  return Object.assign(world, { faults, chance, wrong, succeeded, decisions, hasLostBytes: false, begun: [] });
}

const licence = (exp: string): Licence => ({
  iss: "tests",
  sub: "ACME",
  plan: "team",
  iat: 0,
  nbf: 0,
  exp: Date.parse(exp) / 1000,
  grace: 0,
  limits: { workloadsAtOnce: 1 },
});
const EXPIRED = licence("2025-12-31T00:00:00Z");
const VALID = licence("9999-01-01T00:00:00Z");

const QUOTAS = { name: "agentic-quotas", resourceVersion: "1", data: { "team-a": "maxRunning: 1" } };

const USAGE = "agentic-usage-team-a";
const INSTALLATIONS = "agentic-usage";

function accountsIn({ objects }: Harness, name = USAGE): Accounts {
  const text = objects.configMaps.get(name)?.data["accounts"];
  return text === undefined ? NO_ACCOUNTS : parseAccounts(text, "accounts");
}

/** Another workload of the namespace, made before this one, as its own look at it would. */
async function otherNeeds(world: World, need: Claim["need"]): Promise<void> {
  const { faults, deps } = world;
  const { rate } = faults;
  faults.rate = 0;
  const other = { namespace: REF.namespace, uid: "other", name: "other", created: "2025-01-01T00:00:00Z" };
  const claim: Claim = { ...other, need, spent: 0, month: "2026-01" };
  await deps.quotas.change(REF.namespace, (before) => settle(before, { maxRunning: 1 }, claim).accounts);
  faults.rate = rate;
}

function identityKey({ step, input }: StepRequest): string {
  return `${step} ${JSON.stringify(input)}`;
}

function runsOf(world: Harness): RunView[] {
  return [...world.objects.workflows.values()].map(viewWorkflow);
}

/** Its node in the run that asks says how it ended, and the bytes of that are there. */
function isSettled(world: Harness, { run, step, input }: StepRequest): boolean {
  const view = runsOf(world).find(({ name }) => name.endsWith(run));
  return (view?.nodes ?? []).some((node) => {
    if (node.role !== "step" || node.step !== step || node.phase === "Running") return false;
    if (node.index !== undefined && ITEMS[node.index] !== input.item) return false;
    const output = parseStepOutput(node.output);
    return output && "digest" in output && world.artifactKeys.includes(`${UID}/${output.digest}.json`);
  });
}

/** What holds at each moment. */
function check(world: World): void {
  expect(world.wrong).toEqual([]);
  for (const usage of [USAGE, INSTALLATIONS]) {
    const places = Object.values(accountsIn(world, usage).workloads).filter(({ open }) => open?.place);
    expect(places.length).toBeLessThanOrEqual(1);
  }
  const begun = begunIn(world);
  // Nothing new starts under a licence that has expired.
  if (world.licence.reading === EXPIRED) expect(world.begun).toEqual(expect.arrayContaining(begun));
  world.begun = [...begun, ...live(world).map((name) => name.replace("demo-", ""))];
  for (const review of world.status.reviews ?? []) {
    if (!review.decision) continue;
    const key = `${review.run} ${review.gate} ${review.digest}`;
    expect(review).toEqual(world.decisions.get(key) ?? review);
    world.decisions.set(key, review);
  }
}

/** As the names of run objects end. */
function begunIn(world: World): string[] {
  const { open } = accountsIn(world, INSTALLATIONS).workloads[UID] ?? {};
  return open?.run && open.reserved > 0 ? [open.run.id.slice(0, 10)] : [];
}

/** Runs that go on. */
function live(world: World): string[] {
  return runsOf(world)
    .filter((run) => !hasEnded(run) && !run.shutdown)
    .map(({ name }) => name);
}

type Command = fc.AsyncCommand<Model, World>;

function command(
  name: string,
  run: (world: World, model: Model) => unknown,
  may = (_: Model): boolean => true,
): Command {
  return {
    check: may,
    toString: () => name,
    async run(model, world) {
      await run(world, model);
      check(world);
    },
  };
}

const isThere = ({ deleted }: Model): boolean => !deleted;

/** A look that nothing disturbs: an earlier run may be on its way out, and no other goes on beside the one that is wanted. */
async function lookOnce(world: World): Promise<void> {
  await world.look();
  expect(live(world).length).toBeLessThanOrEqual(1);
}

const look = command("look", lookOnce);
const argoLooks = command("Argo looks", (world) => world.argo());
const twoLooks = command("two looks at once", (world) => Promise.all([world.look(), world.look()]));
const goesWell = command("all goes well for a moment", (world) => world.settle({ rounds: 1 }), isThere);
// An agent that works on after its workload was deleted leaves what it then stores; after two minutes a deletion leaves what it cannot
// delete (lifecycle.test.ts).
const deliver = command("a request arrives, is lost, or comes again", (world) => world.deliver(), isThere);
const halfMinute = command("half a minute passes", (world) => world.pass(30_000), isThere);
const timeout = command("a gate's time passes", (world) => world.pass(GATE_TIMEOUT_MS), isThere);
const wipe = command("Redis is wiped", (world) => {
  world.wipe();
  world.succeeded.clear();
});
const loseBytes = command("the store loses bytes", (world) => {
  world.loseBytes(() => world.chance.next() < 0.5);
  world.hasLostBytes = true;
  world.succeeded.clear();
});
const remove = command(
  "the workload is deleted",
  (world, model) => {
    model.deleted = true;
    world.remove();
  },
  isThere,
);
const died = (calls: number): Command =>
  command(`reconcile dies after ${calls} calls`, async (world) => {
    world.faults.callsLeft = calls;
    await world.look();
    world.faults.callsLeft = undefined;
  });
const unreliable = command("a look at which calls fail", async (world) => {
  world.faults.rate = 0.2;
  await world.look();
  world.faults.rate = 0;
});
const decide = (decision: "approved" | "rejected"): Command =>
  command(`a person decides: ${decision}`, (world) => world.decide(decision), isThere);
const make = (decision: "approved" | "rejected"): Command =>
  command(`a person decides with kubectl: ${decision}`, (world) => world.make(decision), isThere);
const edit = (question: Question, may = isThere): Command =>
  command(
    `the question becomes ${question}`,
    (world, model) => {
      model.question = question;
      if (question !== "invalid") model.valid = question;
      world.edit(specOf(question, model.suspend));
    },
    may,
  );
const suspend = (held: boolean): Command =>
  command(
    held ? "suspend" : "resume",
    (world, model) => {
      model.suspend = held;
      world.edit(specOf(model.question, held));
    },
    isThere,
  );

const other = (need: Claim["need"]): Command =>
  command(`another workload's need of the namespace's only place: ${need}`, (world) => otherNeeds(world, need));

const licensed = (reading: Licence): Command =>
  command(`the licence ${reading === VALID ? "is renewed" : "expires"}`, (world) => {
    world.licence.reading = reading;
  });

const one = (all: readonly Command[]) => fc.constantFrom(...all);
const EVERYTHING = [
  one([look, argoLooks, goesWell, deliver]),
  one([look, argoLooks, goesWell, deliver]),
  one([twoLooks, unreliable, halfMinute]),
  fc.nat(14).map(died),
  one([decide("approved"), decide("rejected"), make("approved"), make("rejected"), timeout]),
  one([edit("why?"), edit("how?"), edit("invalid"), suspend(true), suspend(false)]),
  one([wipe, loseBytes]),
  one([other("work"), other("pause"), other("end"), licensed(EXPIRED), licensed(VALID)]),
];
// Without fast-check's bias to small numbers: with those every call fails.
const chances = fc.array(fc.noBias(fc.nat(999).map((number) => number / 1000)), { minLength: 100, maxLength: 100 });

/** The outside behaves from here on, every event arrives, and whoever is asked approves. @returns what is stuck */
async function calm(world: World, model: Model): Promise<string | undefined> {
  await otherNeeds(world, "end");
  world.licence.reading = VALID;
  // An invalid question is taken back.
  if (!model.deleted) world.edit(specOf(model.valid, false));
  for (let round = 0; round < 60; round++) {
    world.argo();
    await lookOnce(world);
    if (!model.deleted) {
      world.pass(30_000);
      await world.deliverAll();
      await lookOnce(world);
      world.decide("approved");
    }
    check(world);
    if (model.deleted ? !world.workload : hasSettled(world)) return undefined;
  }
  return JSON.stringify(world.workload?.status ?? "deleted", null, 1);
}

function hasSettled({ status, workload }: World): boolean {
  const seen = status.conditions?.find(({ type }) => type === "Ready")?.observedGeneration;
  return status.finishedAt !== undefined && seen === workload?.metadata.generation;
}

async function play(numbers: readonly number[], commands: Iterable<Command>): Promise<World> {
  const world = createWorld(numbers);
  const model: Model = { question: "why?", valid: "why?", suspend: false, deleted: false };
  await fc.asyncModelRun(() => ({ model, real: world }), commands);
  expect(await calm(world, model)).toBeUndefined();
  if (model.deleted) {
    const left = { states: 0, artifacts: 0, decisions: 0 };
    expect([world.workload, world.workflow, world.left]).toEqual([undefined, undefined, left]);
    expect([accountsIn(world), accountsIn(world, INSTALLATIONS)].map(({ workloads }) => workloads[UID])).toEqual([
      undefined,
      undefined,
    ]);
    return world;
  }
  const { status } = world;
  const [review, ...more] = status.reviews ?? [];
  expect(more).toEqual([]);
  expect(status.phase).toBe(review?.decision === "rejected" ? "Rejected" : "Succeeded");
  // No rejected run is made again for the sake of counts that were lost.
  if (status.phase === "Succeeded" || !world.hasLostBytes)
    expect(status.items).toEqual({ total: 3, done: 2, failed: 1, progress: "2/3" });
  expect(world.objects.workflows.get(status.workflow ?? "")?.status).toMatchObject({ phase: "Succeeded" });
  expect(accountsIn(world).workloads[UID]).toEqual({ spent: 0 });
  const { workloads, spent, recorded = {} } = accountsIn(world, INSTALLATIONS);
  expect([workloads, spent % ITEMS.length]).toEqual([{}, 0]);
  // A record for each run whose account was closed, and for no other.
  expect(world.usage.reduce((sum, { items }) => sum + items, 0)).toBe(spent);
  expect(world.usage).toHaveLength(Object.values(recorded).reduce((sum, count) => sum + count, 0));
  expect(spent).toBeGreaterThan(0);
  return world;
}

/** What CI runs is what a developer sees; SEED draws others. */
const SEEDED = { seed: Number(process.env["SEED"] ?? 1) };

describe("whatever happens to a workload", () => {
  test("it settles as its spec asks, decides once, and does nothing twice", async () => {
    await fc.assert(
      fc.asyncProperty(
        chances,
        fc.commands(EVERYTHING, { maxCommands: 60, size: "max" }),
        async (numbers, commands) => {
          await play(numbers, commands);
        },
      ),
      { ...SEEDED, numRuns: 40 },
    );
  });

  test("one that is deleted leaves nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        chances,
        fc.commands([...EVERYTHING, one([remove])], { maxCommands: 40, size: "max" }),
        async (numbers, commands) => {
          await play(numbers, commands);
        },
      ),
      { ...SEEDED, numRuns: 30 },
    );
  });

  // Found with seed -570541524: the decision left the status when the spec was edited, and the gate of the run that had ended was then
  // said to be tampered with.
  test("going back to a question whose run has ended, its approval counts", async () => {
    const numbers = [0.5];
    const well = Array.from({ length: 5 }, () => goesWell);
    await play(numbers, [...well, decide("approved"), ...well, edit("how?"), look, edit("why?"), look]);
  });

  // Found with seeds -386620493 and 90001.
  test.each(["approved", "rejected"] as const)(
    "bytes that are lost after the end change nothing: %s",
    async (decision) => {
      const well = Array.from({ length: 5 }, () => goesWell);
      await play([0.9], [...well, decide(decision), ...well, loseBytes, look, edit("why?"), look]);
    },
  );

  test.each(["approved", "rejected"] as const)(
    "bytes that are lost between the last node and the status that tells of the end: %s",
    async (decision) => {
      const well = Array.from({ length: 5 }, () => goesWell);
      const untilTheEnd = [look, argoLooks, deliver, look, argoLooks, look, argoLooks];
      const ends = decision === "approved" ? untilTheEnd : untilTheEnd.slice(4);
      await play([0.9], [...well, decide(decision), look, argoLooks, ...ends, loseBytes, look]);
    },
  );

  // Found with seed 90001: the steps left other bytes when they were done again, and the rejection was said to be tampered with.
  test("bytes that are lost between a rejection and the last node", async () => {
    const well = Array.from({ length: 5 }, () => goesWell);
    await play([0.9], [...well, decide("rejected"), look, loseBytes, argoLooks, look]);
  });
});
