import { execFile } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { freeze } from "../../engine/freeze.ts";
import { runOf, stepDeadlineMs } from "../../engine/run.ts";
import { inputOf } from "../../engine/walk.ts";
import { allowListFor } from "../../lib/allow-list.ts";
import { identityOfRequest, STEP_REQUESTED } from "../../lib/step-events.ts";
import { mintStepTokens } from "../../lib/token.ts";
import { loadShipped } from "../../pipelines/shipped.ts";
import { BUILD_MS, built } from "../cluster/built.ts";
import { get, until } from "./cluster.ts";
import { gateway } from "./functions.ts";
import { example, SYSTEM } from "./workload.ts";

let func: string;
beforeAll(async () => {
  func = join(await built("func"), "func");
}, BUILD_MS);

/** func invoke, as in docs/func.md, with the ingress as its proxy: that is how this machine reaches a name of the cluster. */
async function invoke(name: string, ...args: string[]): Promise<string> {
  const target = ["--target", `http://${name}.${SYSTEM}.svc.cluster.local`, "--format", "cloudevent"];
  const env = { ...process.env, HTTP_PROXY: `http://${gateway}`, NO_PROXY: "" };
  const { stdout } = await promisify(execFile)(func, ["invoke", ...target, ...args], { env });
  return stdout;
}

test("func invoke has a step done in the cluster, and the same again from its record", async () => {
  const uid = `func-${Date.now()}`;
  const { metadata, spec } = agentWorkloadSchema.parse(example("func", "by-hand"));
  const { pipelines, agents } = await loadShipped();
  const [pipeline] = pipelines;
  if (!pipeline) throw new Error("no pipeline ships");
  const frozen = freeze(pipeline, new Map(agents.map((agent) => [agent.metadata.name, { ...agent, revision: "1" }])));
  if (!("pipeline" in frozen)) throw new Error(frozen.problem);
  const run = runOf({ namespace: "func", name: metadata.name, uid }, spec, frozen.pipeline);
  const [step] = frozen.pipeline.steps;
  const [item = ""] = example("", "").spec.inputs.sites;
  if (!step) throw new Error("the pipeline has no steps");
  const input = inputOf(run, { step, index: 0, item }, new Map());
  const request = { workload: run.workload, run: run.run, step: step.name, revision: "1", input };
  const id = identityOfRequest(request);
  const secret = await get("secrets", SYSTEM, "agentic-signing-keys");
  const pem = Buffer.from(secret?.["data"].STEP_TOKEN_PRIVATE_KEY, "base64");
  const claims = {
    sub: uid,
    jti: id,
    run: run.run,
    allow: allowListFor(step, item, run.egressAllow),
    deadline: new Date(Date.now() + stepDeadlineMs(run, step)).toISOString(),
    retryLimit: run.retryLimit,
  };
  const tokens = await mintStepTokens(claims, createPrivateKey(pem), new Date(Date.now() + 300_000));
  const data = { ...request, ...tokens };
  const event = ["--id", id, "--source", "/func", "--type", STEP_REQUESTED];
  const content = ["--content-type", "application/json", "--data", JSON.stringify(data)];
  // A pool that other tests fill is answered with 503, which the Broker would deliver again; func says nothing of it.
  const first = await until(
    "an answer",
    async () => (await invoke(step.agent ?? "", ...event, ...content)) || undefined,
  );
  expect(first).toContain("dev.agentic.step.completed");
  expect(first).toContain('"outcome": "succeeded"');
  expect(await invoke(step.agent ?? "", ...event, ...content)).toBe(first);
});

test.each(["reconcile", "scrape", "analyze", "report", "approve"])(
  "%s answers func invoke, and refuses what it does not take",
  async (name) => {
    // func says nothing of a refusal (docs/func.md): that it came to an end is all there is to see.
    expect(
      await invoke(name, "--id", "1", "--source", "/func", "--type", "com.example.nothing", "--data", "{}"),
    ).not.toContain("completed");
  },
);
