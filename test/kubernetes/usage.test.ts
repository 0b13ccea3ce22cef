import { expect, test } from "vitest";
import { costOf } from "../../lib/model/cost.ts";
import { priceOf } from "../../lib/model/prices.ts";
import type { UsageRecord } from "../../lib/usage/record.ts";
import { totalOf } from "../../lib/usage/total.ts";
import { apply, ask, kubeconfig, kubectl } from "./cluster.ts";
import { NAMESPACE } from "./namespaces.ts";
import { agentic } from "./plugin-command.ts";
import { asking, SYSTEM, THREE_SITES, untilPhase } from "./workload.ts";

interface Billed {
  readonly objective?: string;
  readonly model: string;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

test("a run that was deleted is still in the usage, at what the provider answered, and nobody reads it without a token", async () => {
  const name = "metered";
  const workload = asking(name, { sites: THREE_SITES.slice(0, 2) });
  await apply(workload);
  const { metadata } = await untilPhase(NAMESPACE, name, "AwaitingReview");
  await kubectl(["-n", NAMESPACE, "delete", "agentworkload", name, "--timeout=120s"]);

  const shown = await agentic(kubeconfig, NAMESPACE, ["usage", "--output", "json"]);
  expect(shown.stderr).toBe("");
  const { records } = JSON.parse(shown.stdout) as { records: UsageRecord[] };
  const own = records.filter(({ uid }) => uid === metadata.uid);
  const bill = JSON.parse((await ask({ namespace: SYSTEM, name: "openai" }, "/bill")).body) as Billed[];
  const asked = bill.filter(({ objective }) => objective === workload.spec.inputs.objective);
  expect(asked).toHaveLength(2);
  const dollars = asked.map(({ model, input, cached, output }) => {
    const price = priceOf(model);
    if (!price) throw new Error(`no price of ${model}`);
    const tokens = { inputTokens: input, cachedInputTokens: cached, cacheWriteTokens: 0, outputTokens: output };
    return Math.ceil(costOf(price, { ...tokens, reasoningTokens: 0 }) * 1e9);
  });
  const sum = (of: (one: Billed) => number): number => asked.reduce((all, one) => all + of(one), 0);
  const total = totalOf(own);
  expect(total).toMatchObject({
    items: 2,
    calls: 2,
    inputTokens: sum(({ input }) => input),
    cachedInputTokens: sum(({ cached }) => cached),
    outputTokens: sum(({ output }) => output),
    unsettledUsd: 0,
  });
  expect(Math.round(total.usd * 1e9)).toBe(dollars.reduce((all, one) => all + one, 0));
  expect(total.browserSeconds).toBeGreaterThan(0);
  expect(own[0]).toMatchObject({ workload: name, ended: "deleted", pipeline: `${SYSTEM}/market-analysis`, lacks: [] });

  const verified = await agentic(kubeconfig, NAMESPACE, ["usage", "-A", "--verify", "--output", "csv"]);
  expect(verified).toMatchObject({ code: 0, stderr: expect.stringContaining("all signed, none missing") });
  expect(verified.stdout).toContain(metadata.uid);
  const month = own[0]?.month;
  const raw = `/api/v1/namespaces/${SYSTEM}/services/http:artifacts:80/proxy/usage/${month}`;
  await expect(kubectl(["get", "--raw", raw])).rejects.toThrow(/Unauthorized|401|logged in/);
});
