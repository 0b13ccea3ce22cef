import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { viewWorkflow } from "../../../functions/reconcile/argo/nodes.ts";
import { parseStepOutput } from "../../../functions/reconcile/workload/node-output.ts";
import type { StepRequest } from "../../../lib/step-events.ts";
import { type Chance, createHarness, done, type Faults, type Harness, keyOf, pipelineOf, WORKLOAD } from "./harness.ts";

const ITEMS = ["a", "b", "c"].map((host) => `http://${host}.example/`);

/** A fan-out of two steps, a gate, a report. */
const pipeline = pipelineOf({
  inputs: { schema: { type: "object", required: ["items"], properties: { items: { type: "array" } } } },
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items", egress: { item: true } },
    { name: "read", agent: "read", after: ["fetch"], forEach: "inputs.items" },
    { name: "review", after: ["read"], gate: {} },
    { name: "write", agent: "write", after: ["review", "read"] },
  ],
});
// Half minutes pass at random: no deadline is meant to end a step here.
const SPEC = { inputs: { items: ITEMS }, replicas: 2, tolerate: { failedItems: 1 }, deadlines: { item: "24h" } };

interface World extends Harness {
  readonly faults: Faults;
  readonly chance: Chance;
  /** Requests for steps whose nodes were settled by then. */
  readonly askedAgain: string[];
}

function createWorld(numbers: readonly number[]): World {
  let at = 0;
  const chance = { next: () => numbers[at++ % numbers.length] ?? 0 };
  const faults: Faults = { rate: 0.15 };
  const askedAgain: string[] = [];
  const world: Harness = createHarness({
    pipeline,
    spec: SPEC,
    chance,
    faults,
    // The last item never answers. Everything else works, and no two executions leave the same bytes.
    answer: ({ step, input }, execution) =>
      step === "fetch" && input.item === ITEMS[2]
        ? { ...done(), outcome: "failed", reason: "Timeout", message: `no answer, ${execution}` }
        : done({ output: `${step} ${execution}`, artifacts: { [step]: keyOf(`${step}-${execution}`) } }),
    onRequest: (request) => {
      if (isSettled(world, request)) askedAgain.push(`${request.step} ${String(request.input.item)}`);
    },
  });
  return Object.assign(world, { faults, chance, askedAgain });
}

function isSettled({ workflow }: Harness, { step, input }: StepRequest): boolean {
  const nodes = workflow ? viewWorkflow(workflow).nodes : [];
  return nodes.some(
    (node) =>
      node.role === "step" &&
      node.step === step &&
      (node.index === undefined || ITEMS[node.index] === input.item) &&
      node.phase !== "Running" &&
      parseStepOutput(node.output) !== undefined,
  );
}

type Happening = (world: World, decision: "approved" | "rejected") => unknown;

/** What may happen, in any order and any number of times. */
const HAPPENINGS: Record<string, Happening> = {
  "an event, or the resync": (world) => world.look(),
  "two events at once": (world) => Promise.all([world.look(), world.look()]),
  "reconcile dies in the middle": async (world) => {
    world.faults.callsLeft = Math.floor(world.chance.next() * 12);
    await world.look();
    world.faults.callsLeft = undefined;
  },
  "Argo looks": (world) => world.argo(),
  "all goes well for a moment": async (world) => {
    const { rate } = world.faults;
    world.faults.rate = 0;
    await world.settle({ rounds: 1 });
    world.faults.rate = rate;
  },
  "a request arrives, is lost, or comes again": (world) => world.deliver(),
  "half a minute passes": (world) => world.pass(30_000),
  "a person decides": (world, decision) => world.decide(decision),
  "the workload is suspended for a while": async (world) => {
    world.edit({ ...SPEC, suspend: true });
    await world.look();
    world.argo();
    await world.deliver();
    world.edit(SPEC);
  },
};
const WIPE: Record<string, Happening> = { "Redis is wiped": (world) => world.wipe() };
type Name = string;

const some = (of: Record<string, Happening>) =>
  fc.array(fc.constantFrom<Name>(...Object.keys(of)), { minLength: 10, maxLength: 100, size: "max" });
// Without fast-check's bias to small numbers: with those every call fails.
const chances = fc.array(fc.noBias(fc.nat(999).map((number) => number / 1000)), { minLength: 200, maxLength: 200 });

async function play(world: World, names: readonly Name[], decision: "approved" | "rejected"): Promise<void> {
  for (const name of names) await { ...HAPPENINGS, ...WIPE }[name]?.(world, decision);
}

/** The outside behaves from here on, and every event arrives. */
async function calm(world: World, decision: "approved" | "rejected"): Promise<void> {
  world.faults.rate = 0;
  world.edit(SPEC);
  for (let round = 0; round < 60 && !world.status.finishedAt; round++) {
    world.pass(30_000);
    world.argo();
    await world.look();
    await world.deliverAll();
    world.decide(decision);
  }
}

type End = readonly ["approved" | "rejected", string];
const ENDS: readonly End[] = [
  ["approved", "Succeeded"],
  ["rejected", "Rejected"],
];

describe("whatever is lost, repeated, reordered or half done", () => {
  const property = async (names: readonly Name[], numbers: readonly number[], [decision, phase]: End) => {
    const world = createWorld(numbers);
    await play(world, names, decision);
    await calm(world, decision);
    const { status } = world;
    expect(status.phase).toBe(phase);
    expect(status.items).toEqual({ total: 3, done: 2, failed: 1, progress: "2/3" });
    expect(status.reviews).toMatchObject([{ gate: "review", decision, by: "ann" }]);
    expect(world.workflow?.status).toMatchObject({ phase: "Succeeded" });
    expect(world.artifactKeys).toContain(artifactKey(WORKLOAD, status.reviews?.[0]?.digest ?? "", "json"));
    expect(world.reviewRequests).toBeGreaterThan(0);
    expect(world.askedAgain).toEqual([]);
    return world;
  };

  test.each(ENDS)("a run that is %s ends as %s, and no step runs twice", async (...end) => {
    await fc.assert(
      fc.asyncProperty(some(HAPPENINGS), chances, async (names, numbers) => {
        const world = await property(names, numbers, end);
        expect([...world.executions.values()].filter((times) => times > 1)).toEqual([]);
        expect(world.executions.size).toBe(3 + 2 + (end[0] === "approved" ? 1 : 0));
      }),
      { numRuns: 30 },
    );
  });

  test.each(ENDS)(
    "so does one that is %s while Redis is wiped, and nothing settled is asked for again",
    async (...end) => {
      await fc.assert(
        fc.asyncProperty(some({ ...HAPPENINGS, ...WIPE }), chances, async (names, numbers) => {
          await property(names, numbers, end);
        }),
        { numRuns: 30 },
      );
    },
  );

  test("a workload that is deleted at any moment leaves nothing", async () => {
    await fc.assert(
      fc.asyncProperty(some({ ...HAPPENINGS, ...WIPE }), chances, async (names, numbers) => {
        const world = createWorld(numbers);
        await play(world, names, "approved");
        world.remove();
        await play(world, ["an event, or the resync", "Argo looks", "reconcile dies in the middle"], "approved");
        world.faults.rate = 0;
        for (let round = 0; round < 4; round++) await world.look();
        expect([world.workload, world.workflow, world.left]).toEqual([
          undefined,
          undefined,
          { states: 0, artifacts: 0, decisions: 0 },
        ]);
      }),
      { numRuns: 30 },
    );
  });
});
