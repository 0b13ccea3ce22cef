import { pino } from "pino";
import { beforeEach, describe, expect, test } from "vitest";
import { recordDecision } from "../../../functions/reconcile/workload/decision-outcome.ts";
import { reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { createHarness, done, type Harness, pipelineOf } from "./harness.ts";
import { resyncOf } from "./resync-of.ts";

const lines: Record<string, unknown>[] = [];
const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
beforeEach(() => {
  lines.length = 0;
});
const audited = () => lines.filter(({ audit }) => audit === true);

const pipeline = pipelineOf({
  steps: [
    { name: "find", agent: "find" },
    { name: "ask", after: ["find"], gate: {} },
    { name: "write", agent: "write", after: ["ask"] },
  ],
});
async function atGate(spec: Record<string, unknown> = {}): Promise<Harness> {
  const world = createHarness({ pipeline, spec, log, answer: () => done() });
  for (let round = 0; round < 20 && world.status.phase !== "AwaitingReview"; round++) await world.settle({ rounds: 1 });
  return world;
}
const ABOUT = { "agentic.workload.namespace": "team-a", "agentic.workload.name": "demo" };
const OF_ASK = { ...ABOUT, "agentic.step": "ask" };

describe("what reconcile says to the audit", () => {
  test("who decided by AgentDecision, once; and whose decision came too late, and why", async () => {
    const world = await atGate();
    world.make("approved");
    world.make("rejected");
    await world.settle();
    await recordDecision({ namespace: "team-a", name: "decision-0" }, world.deps);
    await recordDecision({ namespace: "team-a", name: "decision-1" }, world.deps);
    const { digest } = world.status.reviews?.[0] ?? {};
    const by = { "user.name": "ben", "agentic.decision.how": "AgentDecision", "agentic.findings.digest": digest };
    expect(audited()).toEqual([
      expect.objectContaining({
        event: "agentic.audit.decision.counted",
        ...OF_ASK,
        ...by,
        "agentic.outcome": "approved",
        "agentic.decision.automatic": false,
      }),
      expect.objectContaining({
        event: "agentic.audit.decision.denied",
        level: 40,
        ...OF_ASK,
        ...by,
        "agentic.outcome": "rejected",
        "agentic.reason": "AlreadyDecided",
      }),
    ]);
  });

  test("a decision by the link is approve's to say", async () => {
    const world = await atGate();
    world.decide("approved");
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    expect(audited()).toEqual([]);
  });

  test("that nobody was asked", async () => {
    const world = createHarness({ pipeline, spec: { review: { required: false } }, log, answer: () => done() });
    await world.settle();
    expect(audited()).toEqual([
      expect.objectContaining({
        "agentic.decision.automatic": true,
        "agentic.decision.how": "Setting",
        "user.name": "spec.review.required: false",
      }),
    ]);
  });

  test("a gate that somebody settled in Argo, once", async () => {
    const world = await atGate();
    const outputs = { parameters: [{ name: "result", value: "approved" }] };
    world.byHand("gate-ask", { phase: "Succeeded", finishedAt: world.deps.now().toISOString(), outputs });
    await world.settle();
    expect(world.status.phase).toBe("Failed");
    expect(audited()).toEqual([
      expect.objectContaining({ event: "agentic.audit.gate.tampered", ...ABOUT, "agentic.reason": "TamperedGate" }),
    ]);
  });

  test("no decision whose status could not be written: another may have come before", async () => {
    const world = await atGate();
    world.make("approved");
    const { workloads } = world.deps.kube;
    const kube = { ...world.deps.kube, workloads: { ...workloads, putStatus: async () => "conflict" as const } };
    await reconcileWorkload({ namespace: "team-a", name: "demo" }, { ...world.deps, kube }).catch(() => undefined);
    expect(audited()).toEqual([]);
  });
});

test("a run that waits, and one that is over, are looked at again and again without a line", async () => {
  const world = await atGate();
  const lookEachMinute = async (): Promise<void> => {
    lines.length = 0;
    for (let minute = 0; minute < 5; minute++) {
      world.pass(60_000);
      await resyncOf(world);
      await world.look();
    }
    expect(lines).toEqual([]);
  };
  await lookEachMinute();
  world.decide("approved");
  await world.settle();
  await lookEachMinute();
});
