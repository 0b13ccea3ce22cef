import { describe, expect, test } from "vitest";
import { type JaegerSpan, readTrace } from "../jaeger.ts";
import { apply, ask, until } from "./cluster.ts";
import { NAMESPACE } from "./namespaces.ts";
import { asking, condition, decide, reviewOf, THREE_SITES, untilPhase } from "./workload.ts";

async function spansOf(trace: string): Promise<readonly JaegerSpan[]> {
  const jaeger = { namespace: "agentic-observability", name: "jaeger", port: 16_686 };
  const { status, body } = await ask(jaeger, `/api/traces/${trace}`);
  return (status === 200 && readTrace(JSON.parse(body))) || [];
}

describe("the trace of a run on a cluster", () => {
  test("one tree over all functions, from the run to each call, with the gate's wait and the run's dollars", async () => {
    const name = "traced";
    await apply(asking(name, { sites: THREE_SITES }));
    const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
    await decide(NAMESPACE, name, "approved");
    const ended = await untilPhase(NAMESPACE, name, "Succeeded");
    expect(condition(ended, "Ready").reason).toBe("Succeeded");
    const { trace, usage } = ended.status as { trace: string; usage: { costUsd: string } };
    const spans = await until("the run's own span", async () => {
      const found = await spansOf(trace);
      return found.some((span) => span.name.startsWith("run ")) ? found : undefined;
    });
    const byId = new Map(spans.map((span) => [span.id, span]));
    const parentOf = (span: JaegerSpan) => byId.get(span.parent ?? "");
    const named = (start: string) => spans.filter((span) => span.name.startsWith(start));
    expect(spans.filter(({ parent }) => parent === undefined).map((span) => span.name)).toEqual([
      "run market-analysis",
    ]);
    expect(spans.filter((span) => span.parent !== undefined && !parentOf(span))).toEqual([]);
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(["reconcile", "scrape", "analyze", "report"]));
    for (const step of ["scrape", "analyze", "report"]) {
      const attempts = named(`attempt ${step}`);
      expect(attempts.length).toBeGreaterThan(0);
      for (const attempt of attempts)
        expect([attempt.service, parentOf(attempt)?.name, parentOf(attempt)?.service]).toEqual([
          step,
          `step ${step}`,
          "reconcile",
        ]);
    }
    for (const call of named("chat ")) expect(parentOf(call)?.name).toMatch(/^node /);
    const dollars = named("chat ").reduce((sum, { tags }) => sum + Number(tags["gen_ai.usage.cost"]), 0);
    // The status has four digits.
    expect(Math.abs(dollars - Number(usage.costUsd))).toBeLessThanOrEqual(0.00005);
    const [gate] = named("gate review");
    const openedAt = Date.parse(String(reviewOf(waiting, "review")["openedAt"]));
    expect(Math.abs((gate?.startedAt ?? 0) - openedAt)).toBeLessThan(1000);
    expect(gate?.tags).toMatchObject({ "agentic.outcome": "approved", "agentic.decision.automatic": false });
  });
});
