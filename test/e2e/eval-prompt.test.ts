import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import { parseEvent } from "../../lib/events.ts";
import { parseStepRequested, stepCompleted } from "../../lib/step-events.ts";
import { type FakeOpenAi, saidIn, startFakeOpenAi } from "../fakes/openai.ts";
import { agentic } from "./cli.ts";
import { endServers } from "./processes.ts";

// An agent of one's own, whose prompt changes between two commands: what it made of recorded captures, side by side.

const PRICES = ["$9", "$29", "$99"];
const GOOD = "Quote every price that stands on the page.";
const HASTY = "Name a price.";

let prompt = GOOD;
let fetched = 0;
let provider: FakeOpenAi;
let server: Server;
let url: string;
let out: string;
let file: string;

/** Reads one page: step `fetch` captures it, step `ask` has the model find its prices. */
async function work(step: string, params: Record<string, unknown>, captured: unknown): Promise<StepResult> {
  const done: StepResult = { outcome: "succeeded", artifacts: {}, usage: NO_USAGE };
  if (step === "fetch") {
    fetched++;
    return { ...done, data: { text: `Plans: ${PRICES.join(", ")}` } };
  }
  const response = await fetch(`${provider.baseUrl}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({
      model: (params["model"] as { name: string }).name,
      messages: [{ role: "user", content: `${prompt}\n${JSON.stringify(captured)}` }],
    }),
  });
  const { choices, usage } = (await response.json()) as {
    choices: [{ message: { content: string } }];
    usage: { prompt_tokens: number; completion_tokens: number };
  };
  const { prices } = JSON.parse(choices[0].message.content) as { prices: string[] };
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage;
  return {
    ...done,
    data: { prices },
    usage: { ...NO_USAGE, inputTokens, outputTokens, costUsd: (inputTokens + outputTokens) / 1e6 },
    evaluations: [{ name: "quotes", score: prices.filter((one) => PRICES.includes(one)).length / prices.length }],
  };
}

const command = (verb: string, ...more: string[]) =>
  agentic([verb, file, "--out", out, "--agent", `worker=${url}`, ...more], { LLM_BASE_URL: provider.baseUrl }).ended;

beforeAll(async () => {
  provider = await startFakeOpenAi();
  provider.answer((request) =>
    saidIn(request).includes(GOOD)
      ? { content: { prices: PRICES }, usage: { input: 4000, output: 60 } }
      : { content: { prices: ["$9", "about $30"] }, usage: { input: 1000, output: 20 } },
  );
  server = createServer(async (request, response) => {
    if (request.method === "GET") return void response.end();
    let body = "";
    for await (const chunk of request) body += chunk;
    const event = parseEvent(request.headers as Record<string, string>, body);
    if (event.type !== "dev.agentic.step.requested") return void response.end();
    const { identity, request: asked } = parseStepRequested(event);
    const captured = asked.input.from["fetch"]?.[0]?.data;
    const completed = stepCompleted(identity, asked, await work(asked.step, asked.input.params, captured));
    response.writeHead(200, completed.headers).end(completed.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  out = await mkdtemp(join(tmpdir(), "agentic-prompt-"));
  file = join(out, "all.yaml");
  await writeFile(
    file,
    `apiVersion: agentic.dev/v1alpha1
kind: AgentWorkload
metadata: { name: prices }
spec: { pipeline: prices, model: { name: gpt-6-luna }, inputs: { pages: [a, b] } }
---
apiVersion: agentic.dev/v1alpha1
kind: AgentPipeline
metadata: { name: prices }
spec:
  inputs: { schema: { type: object, properties: { pages: { type: array, maxItems: 5, items: { type: string } } } } }
  steps:
    - { name: fetch, agent: worker, forEach: inputs.pages }
    - { name: ask, agent: worker, after: [fetch], forEach: inputs.pages, with: [model] }
---
apiVersion: agentic.dev/v1alpha1
kind: Agent
metadata: { name: worker }
spec: { image: example.com/worker:1 }
`,
  );
});
afterAll(async () => {
  await endServers(out);
  server.close();
  await provider.close();
  await rm(out, { recursive: true, force: true });
});

test("a changed prompt stands beside the one before: what it finds, costs and takes, without fetching", async () => {
  const ran = await command("run");
  expect([ran.code, ran.stderr]).toEqual([0, expect.any(String)]);
  expect(fetched).toBe(2);
  const expected = join(out, "expect.yaml");
  const expectations = ["a", "b"].map((item) => ({ step: "ask", item, expect: { prices: PRICES } }));
  await writeFile(expected, JSON.stringify(expectations));

  prompt = HASTY;
  const hasty = await command("eval", "--again", "--expect", expected, "--output", "json");
  expect([hasty.code, hasty.stderr]).toEqual([0, expect.any(String)]);
  const step = (quality: number, found: number, extra: number, tokens: number) => ({
    step: "ask",
    items: 2,
    succeeded: 2,
    failed: {},
    evaluations: { quotes: { mean: quality, count: 2 } },
    expected: { found, expected: 6, extra },
    usage: { costUsd: expect.closeTo((2 * tokens) / 1e6, 9) },
    medianSeconds: expect.any(Number),
  });
  const good = step(1, 6, 0, 4060);
  const worse = step(0.5, 2, 2, 1020);
  expect(JSON.parse(hasty.stdout)).toMatchObject([
    { model: "gpt-6-luna", asRecorded: true, steps: [good] },
    { model: "gpt-6-luna", steps: [worse] },
  ]);

  // What was tried last is what the next prompt is compared with.
  prompt = GOOD;
  const back = await command("eval", "--again", "--expect", expected);
  const rows = back.stdout
    .trim()
    .split("\n")
    .map((line) => line.split(/\s{2,}/).slice(0, 6));
  expect(rows).toEqual([
    ["MODEL", "STEP", "SUCCEEDED", "QUOTES", "EXPECTED", "EXTRA"],
    ["gpt-6-luna (as recorded)", "ask", "2/2", "0.50", "2/6", "2"],
    ["gpt-6-luna", "ask", "2/2", "1.00", "6/6", "0"],
  ]);
  expect(fetched).toBe(2);
}, 120_000);
