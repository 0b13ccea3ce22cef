import { execFile } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { allowListFor } from "../../lib/allow-list.ts";
import { mintStepToken } from "../../lib/token.ts";
import { identityOf, stepInput } from "../../pipeline/dispatch.ts";
import { orderOf } from "../../pipeline/run-order.ts";
import { BUILD_MS, built } from "../cluster/built.ts";
import { get } from "./cluster.ts";
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
  const workload = agentWorkloadSchema.parse(example("func", "by-hand"));
  const order = orderOf(workload, uid);
  const [step] = order.pipeline.steps;
  const [site = ""] = order.lists.sites;
  if (!step) throw new Error("the pipeline has no steps");
  const input = stepInput(step, order.params, new Map(), site);
  const id = identityOf(uid, step, input);
  const secret = await get("secrets", SYSTEM, "agentic-signing-keys");
  const pem = Buffer.from(secret?.["data"].STEP_TOKEN_PRIVATE_KEY, "base64");
  const claims = { sub: uid, jti: id, run: order.run, allow: allowListFor(site, []) };
  const data = {
    workload: order.workload,
    run: order.run,
    step: step.name,
    input,
    deadline: new Date(Date.now() + 120_000).toISOString(),
    retryLimit: 3,
    token: await mintStepToken(claims, createPrivateKey(pem), new Date(Date.now() + 300_000)),
  };
  const event = ["--id", id, "--source", "/func", "--type", "dev.agentic.step.requested"];
  const content = ["--content-type", "application/json", "--data", JSON.stringify(data)];
  const first = await invoke(step.name, ...event, ...content);
  expect(first).toContain("dev.agentic.step.completed");
  expect(first).toContain('"outcome": "succeeded"');
  expect(await invoke(step.name, ...event, ...content)).toBe(first);
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
