import { expect, test } from "vitest";
import { createHarness, done, type Harness, pipelineOf } from "./harness.ts";

const ITEMS = ["http://a.example/", "http://b.example/", "http://c.example/"];

/** Artifact keys of a step's results. */
async function results({ artifactKeys, deps }: Harness, step: string): Promise<string[]> {
  const found: string[] = [];
  for (const key of artifactKeys) {
    const text = new TextDecoder().decode(await deps.artifacts.get(key));
    if (text.includes(`"output":"${step} `)) found.push(key);
  }
  return found;
}

test("a step after a fan-out waits while a result that it gets is made again", async () => {
  const world = createHarness({
    pipeline: pipelineOf({
      inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
      steps: [
        { name: "read", agent: "read", forEach: "inputs.items" },
        { name: "write", agent: "write", after: ["read"] },
      ],
    }),
    spec: { inputs: { items: ITEMS } },
    answer: ({ step, input }) => done({ output: `${step} ${String(input.item)}` }),
  });
  const asked = () => world.requests.map(({ step, input }) => `${step} ${String(input.item)}`);
  await world.look();
  world.argo();
  await world.look();
  await world.deliverAll();
  await world.look();
  world.argo();
  expect(asked()).toEqual(ITEMS.map((item) => `read ${item}`));
  // Before the step is requested, one of three results is gone.
  const [lost] = await results(world, "read");
  world.loseBytes((key) => key !== lost);
  world.pass(30_000);
  await world.look();
  expect(asked().slice(3)).toEqual([expect.stringMatching(/^read /)]);
  await world.settle();
  expect(world.status.phase).toBe("Succeeded");
  const written = world.requests.filter(({ step }) => step === "write");
  expect(written.map(({ input }) => input.from["read"]?.length)).toEqual([3]);
});
