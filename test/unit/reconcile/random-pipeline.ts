import fc from "fast-check";
import type { PipelineSpec } from "../../../crd/agentpipeline.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import type { StepResult } from "../../../engine/result.ts";
import { ancestorsOf } from "../../../engine/stages.ts";
import type { StepRequest } from "../../../lib/step-events.ts";
import { type Draw, drawnAnswer } from "../../cluster/support/drawn-answer.ts";
import { createHarness, type Harness, pipelineOf, REF } from "./harness.ts";

/** A valid pipeline of up to eight steps, inputs for it, and how its steps end. */
export interface RandomRun {
  readonly pipeline: PipelineSpec;
  readonly inputs: Record<string, unknown>;
  readonly replicas: number;
  readonly failedItems: number;
  /** Which gates are rejected. */
  readonly rejected: ReadonlySet<string>;
  /** What the answers depend on. Absent: on nothing that is drawn. */
  readonly draw?: Draw;
  /** Which steps fail, and what lists they return: by the step and its item, whoever runs it. */
  readonly answer: (request: Pick<StepRequest, "workload" | "step" | "input">) => StepResult;
}

const choices = fc.array(fc.nat(999), { minLength: 64, maxLength: 64 });

export const randomRun: fc.Arbitrary<RandomRun> = fc
  .record({
    steps: fc.integer({ min: 1, max: 8 }),
    sizes: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 })),
    replicas: fc.integer({ min: 1, max: 4 }),
    failedItems: fc.integer({ min: 0, max: 3 }),
    failureRate: fc.constantFrom(0, 0, 10, 25),
    choices,
  })
  .map(({ steps, sizes: [a, b], replicas, failedItems, failureRate, choices: numbers }) => {
    let at = 0;
    const draw = (below: number): number => (numbers[at++ % numbers.length] ?? 0) % below;
    const list: object[] = [];
    const names: string[] = [];
    const gates: string[] = [];
    const optional = new Map<string, string | undefined>();
    for (let index = 0; index < steps; index++) {
      const name = `s${index}`;
      const after = names.filter(() => draw(3) === 0);
      const parsed =
        after.length > 0
          ? ancestorsOf(name, pipelineOf({ steps: [...list, { name, agent: "x", after }] }).steps)
          : new Set<string>();
      const kind = draw(10);
      if (kind < 2 && after.length > 0) {
        gates.push(name);
        list.push({ name, after, gate: {} });
      } else {
        const returning = [...parsed].filter((one) => !gates.includes(one));
        const lists = ["inputs.a", "inputs.b", ...returning.map((one) => `steps.${one}.items`)];
        const forEach = kind < 7 ? lists[draw(lists.length)] : undefined;
        const source = returning[draw(Math.max(returning.length, 1))];
        const when = draw(6) === 0 && source ? `steps[${JSON.stringify(source)}].succeeded > ${draw(3)}` : undefined;
        // One that is over the list of an optional step before it is optional, too.
        const follows = forEach !== undefined && after.some((one) => optional.get(one) === forEach);
        const isOptional = draw(5) === 0 || follows;
        if (isOptional) optional.set(name, forEach);
        list.push({
          name,
          agent: `agent-${name}`,
          after,
          ...(forEach ? { forEach } : {}),
          ...(when ? { when } : {}),
          ...(isOptional ? { optional: true } : {}),
        });
      }
      names.push(name);
    }
    const output = names.find((name) => !gates.includes(name)) ?? "s0";
    const inputList = (prefix: string, size: number) => Array.from({ length: size }, (_, index) => `${prefix}${index}`);
    const array = { type: "array" };
    return {
      pipeline: pipelineOf({
        inputs: { schema: { type: "object", properties: { a: array, b: array } } },
        steps: list,
        output,
      }),
      inputs: { a: inputList("a", a), b: inputList("b", b) },
      replicas,
      failedItems,
      rejected: new Set(gates.filter(() => draw(4) === 0)),
      draw: { numbers, failureRate },
      answer: (request) => drawnAnswer({ numbers, failureRate }, request),
    };
  });

/** What a harness needs to play it. */
export function harnessOptions({ pipeline, inputs, replicas, failedItems, answer }: RandomRun) {
  return { pipeline, spec: { inputs, replicas, tolerate: { failedItems } }, answer };
}

/** Decides every gate that waits, as drawn. */
export function decideAll(world: Harness, { rejected }: Pick<RandomRun, "rejected">): void {
  for (const { gate } of world.status.reviews ?? []) world.decide(rejected.has(gate) ? "rejected" : "approved", gate);
}

/** Plays it to its end, by reconcile with Argo in memory. */
export async function playInMemory(drawn: RandomRun, ref = REF): Promise<Harness> {
  const world = createHarness({ ...harnessOptions(drawn), ref });
  for (let round = 0; round < 500 && !world.status.finishedAt; round++) {
    await world.settle({ rounds: 1 });
    decideAll(world, drawn);
  }
  return world;
}

/** A request as executors are compared by: what was asked of whom, with which input. Of a gate, whose findings and decision have times, that it passed. */
export function requestLine({ step, input }: Pick<StepRequest, "step" | "input">): string {
  const from = Object.entries(input.from).map(([name, all]) => [
    name,
    all.map((one) => (one.output === APPROVED ? APPROVED : one)),
  ]);
  return `${step} ${canonicalJson({ ...input, from })}`;
}

/** The output of a gate that was approved (engine/findings.ts). */
export const APPROVED = "approved";
