import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { PIPELINE_ANNOTATION, SEAL_ANNOTATION } from "../../../functions/reconcile/argo/names.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { attacked } from "../../attempts.ts";
import { REF } from "../../unit/reconcile/harness.ts";
import { atGate, counts, type GateWorld, reviewOf, seen, withstands } from "./gate-world.ts";

// What is written into the cluster: AgentDecisions, the workload's status, and the nodes of its Workflow. That an AgentDecision names who
// makes it is the API server's to see to, and attacked there (test/kubernetes/decisions.test.ts).

/** An AgentDecision that counts, with changes over it. */
function decision({ harness, digests }: GateWorld, over: Over = {}): KubeObject {
  return {
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentDecision",
    ...over.object,
    metadata: {
      namespace: REF.namespace,
      name: "made",
      uid: "decision-uid",
      resourceVersion: "1",
      creationTimestamp: harness.deps.now().toISOString(),
      finalizers: [],
      labels: {},
      annotations: {},
      ...over.metadata,
    },
    spec: { workload: REF.name, digest: digests.ask, decision: "approved", by: "ben", ...over.spec },
    ...(over.status ? { status: over.status } : {}),
  };
}
interface Over {
  readonly object?: object;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}
const OTHER_DIGEST = "0".repeat(64);
const ofOther = { digest: OTHER_DIGEST };
const place = ({ harness }: GateWorld, object: KubeObject): unknown =>
  harness.objects.decisions.set(object.metadata.name, object);

describe("an AgentDecision", () => {
  test("that is right counts", () =>
    counts((world) => place(world, decision(world)), { by: "ben", how: "AgentDecision", automatic: false }));
  test("with a comment of 4,000 characters counts", () =>
    counts((world) => place(world, decision(world, { spec: { comment: "x".repeat(4000) } }))));

  const CHANGES = { decision: "changesRequested", comment: "again" };
  const owner = (uid: unknown) => ({ apiVersion: "agentic.dev/v1alpha1", kind: "AgentWorkload", name: "demo", uid });
  const attacks: Readonly<Record<string, (world: GateWorld) => Over>> = {
    "on findings of zeros": () => ({ spec: ofOther }),
    "on a digest cut short": ({ digests }) => ({ spec: { digest: digests.ask.slice(0, 63) } }),
    "on a digest in capitals": ({ digests }) => ({ spec: { digest: digests.ask.toUpperCase() } }),
    "on a digest with a line's end": ({ digests }) => ({ spec: { digest: `${digests.ask}\n` } }),
    "on a list of digests": ({ digests }) => ({ spec: { digest: [digests.ask] } }),
    "without a digest": () => ({ spec: { digest: undefined } }),
    "on another workload": () => ({ spec: { workload: "other" } }),
    "on a workload in capitals": () => ({ spec: { workload: "DEMO" } }),
    "on a workload whose name begins so": () => ({ spec: { workload: "demo-2" } }),
    "on a path to the workload": () => ({ spec: { workload: "team-a/demo" } }),
    "on no workload": () => ({ spec: { workload: "" } }),
    "on a list of workloads": () => ({ spec: { workload: ["demo"] } }),
    "in another namespace": () => ({ metadata: { namespace: "team-b" } }),
    "of another kind": () => ({ object: { kind: "AgentWorkload" } }),
    "of another version": () => ({ object: { apiVersion: "agentic.dev/v1" } }),
    "of another group": () => ({ object: { apiVersion: "evil.dev/v1alpha1" } }),
    "that says maybe": () => ({ spec: { decision: "maybe" } }),
    "that says it in capitals": () => ({ spec: { decision: "Approved" } }),
    "that says that it was skipped": () => ({ spec: { decision: "skipped" } }),
    "that says nothing": () => ({ spec: { decision: undefined } }),
    "that says two things": () => ({ spec: { decision: ["approved", "rejected"] } }),
    "by nobody": () => ({ spec: { by: "" } }),
    "without who made it": () => ({ spec: { by: undefined } }),
    "by a number": () => ({ spec: { by: 0 } }),
    "by a name of 257 characters": () => ({ spec: { by: "a".repeat(257) } }),
    "that says how": () => ({ spec: { how: "ReviewLink" } }),
    "that says that nobody was asked": () => ({ spec: { automatic: true } }),
    "that says when": () => ({ spec: { at: "2020-01-01T00:00:00Z" } }),
    "that names the gate": () => ({ spec: { gate: "ask" } }),
    "with a comment of 4,001 characters": () => ({ spec: { comment: "x".repeat(4001) } }),
    "with a comment of a megabyte": () => ({ spec: { comment: "x".repeat(1_000_000) } }),
    "with a comment that is an object": () => ({ spec: { comment: { text: "x" } } }),
    "that approves steps": () => ({ spec: { steps: ["find"] } }),
    "that rejects steps": () => ({ spec: { decision: "rejected", steps: ["find"] } }),
    "that asks for changes of a step after the gate": () => ({ spec: { ...CHANGES, steps: ["write"] } }),
    "that asks for changes of the gate": () => ({ spec: { ...CHANGES, steps: ["ask"] } }),
    "that asks for changes of the other gate": () => ({ spec: { ...CHANGES, steps: ["also"] } }),
    "that asks for changes of nobody's step": () => ({ spec: { ...CHANGES, steps: ["nobody"] } }),
    "that asks for changes of a step before and one after": () => ({ spec: { ...CHANGES, steps: ["find", "write"] } }),
    "that asks for changes of no steps": () => ({ spec: { ...CHANGES, steps: [] } }),
    "that asks for changes of 65 steps": () => ({ spec: { ...CHANGES, steps: Array(65).fill("find") } }),
    "that asks for changes without saying which": () => ({ spec: { ...CHANGES, comment: undefined } }),
    "that asks for changes with a comment of spaces": () => ({ spec: { ...CHANGES, comment: " \n " } }),
    "on other findings, with the workload for an owner": ({ harness }) => ({
      spec: ofOther,
      metadata: { ownerReferences: [{ ...owner(harness.workload?.metadata.uid), controller: true }] },
    }),
    "on other findings, with the workload's label": () => ({
      spec: ofOther,
      metadata: { labels: { "agentic.dev/workload": "demo" } },
    }),
    "on other findings, with the digest in an annotation": ({ digests }) => ({
      spec: ofOther,
      metadata: { annotations: { digest: digests.ask, "agentic.dev/digest": digests.ask } },
    }),
    "on other findings, whose status says that it counted": () => ({
      spec: ofOther,
      status: { outcome: "Counted", reason: "First", message: "gate ask: approved", gate: "ask" },
    }),
    "on other findings, named as the gate": () => ({ spec: ofOther, metadata: { name: "ask" } }),
    "made at the timeout": ({ harness }) => ({
      metadata: { creationTimestamp: reviewOf(harness.status, "ask")?.timeoutAt },
    }),
    "made a year after the timeout": () => ({ metadata: { creationTimestamp: "2027-01-01T00:00:00Z" } }),
  };
  test.each(Object.entries(attacks))("%s", (_what, over) =>
    withstands((world) => place(world, decision(world, over(world)))),
  );

  const STATES: Readonly<Record<string, (world: GateWorld) => unknown>> = {
    "after the timeout": async ({ harness }) => {
      harness.pass(2 * 24 * 3600_000);
      await harness.look();
    },
    "after somebody rejected by the link": ({ harness }) => harness.decide("rejected", "ask"),
    "after somebody rejected by an AgentDecision": (world) =>
      place(world, decision(world, { metadata: { name: "first" }, spec: { decision: "rejected", by: "ann" } })),
    "of a run that was stopped": async ({ harness }) => {
      harness.edit({ stop: true });
      await harness.settle();
    },
    "of a run that is being stopped": async ({ harness }) => {
      harness.edit({ stop: true });
      await harness.look();
    },
    "of a workload that is being deleted": ({ harness }) => harness.remove(),
    "of a run that was rejected": ({ harness }) => harness.settle({ decision: "rejected" }),
    "of another spec's run": async ({ harness }) => {
      harness.edit({ rerun: { at: "2026-01-01T10:01:00Z" } });
      await harness.settle({ rounds: 6 });
    },
  };
  const later = { metadata: { creationTimestamp: "2026-01-04T00:00:00Z" } };
  test.each(Object.entries(STATES))("%s", (_when, before) =>
    withstands((world) => place(world, decision(world, later)), before),
  );

  test("of a hundred on other findings and the right one, the right one counts", () =>
    counts(
      (world) => {
        for (let at = 0; at < 100; at++)
          place(world, decision(world, { metadata: { name: `wrong-${at}` }, spec: { ...ofOther, by: `m${at}` } }));
        place(world, decision(world));
      },
      { by: "ben" },
    ));
});

describe("a status that somebody wrote a decision into, and not all that is one", () => {
  const whole = {
    decision: "approved",
    by: "mallory",
    how: "ReviewLink",
    automatic: false,
    at: "2026-01-01T10:00:30.000Z",
  };
  const withReview = (change: (review: Review) => object) => (status: WorkloadStatus) => ({
    ...status,
    reviews: (status.reviews ?? []).map((review) => (review.gate === "ask" ? change(review) : review)),
  });
  const more = (change: (review: Review) => object) => (status: WorkloadStatus) => {
    const review = reviewOf(status, "ask");
    return { ...status, reviews: [...(status.reviews ?? []), ...(review ? [change(review)] : [])] };
  };
  const lacking = (name: keyof typeof whole) => ({ ...whole, [name]: undefined });
  const attacks: Readonly<Record<string, (status: WorkloadStatus) => object>> = {
    ...Object.fromEntries(
      (["by", "how", "automatic", "at"] as const).map((name) => [
        `without ${name}`,
        withReview((review) => ({ ...review, ...lacking(name) })),
      ]),
    ),
    "by no known way": withReview((review) => ({ ...review, ...whole, how: "Mallory" })),
    "that is none": withReview((review) => ({ ...review, ...whole, decision: "yes" })),
    "with a field more": withReview((review) => ({ ...review, ...whole, proof: "x" })),
    "on other findings": withReview((review) => ({ ...review, ...whole, digest: OTHER_DIGEST })),
    "of another run": withReview((review) => ({ ...review, ...whole, run: "0000000000" })),
    "of another run, beside its own": more((review) => ({ ...review, ...whole, run: "0000000000" })),
    "on other findings, beside its own": more((review) => ({ ...review, ...whole, digest: OTHER_DIGEST })),
    "at a gate that is not there": more((review) => ({ ...review, ...whole, gate: "none" })),
    "of an earlier run": (status) => {
      const review = reviewOf(status, "ask");
      return { ...status, earlierReviews: [{ ...review, ...whole, run: "0000000000" }] };
    },
    "as a condition": (status) => ({
      ...status,
      conditions: (status.conditions ?? []).map((one) =>
        one.type === "Reviewed" ? { ...one, status: "True", reason: "Approved" } : one,
      ),
    }),
    "as a phase": (status) => ({ ...status, phase: "Running" }),
    "as outputs": (status) => ({ ...status, outputs: { report: "team-a/x/y" } }),
    "as changes of another run": (status) => {
      const digest = reviewOf(status, "ask")?.digest;
      const request = { gate: "ask", digest, steps: ["find"], comment: "x", by: "mallory", at: whole.at };
      return { ...status, changes: [{ ...request, run: "0000000000" }] };
    },
    "as reviews that are none": (status) => ({ ...status, reviews: "approved" }),
    "as no reviews": ({ reviews: _gone, ...status }) => status,
    "as a timeout that is over": withReview((review) => ({ ...review, timeoutAt: "2026-01-01T10:00:00.000Z" })),
    "as a timeout that is over and approves": withReview((review) => ({
      ...review,
      timeoutAt: "2026-01-01T10:00:00.000Z",
      onTimeout: "Approve",
    })),
  };
  test.each(Object.entries(attacks))("%s", async (_what, change) => {
    const world = await atGate();
    world.harness.writeStatus(change);
    attacked();
    await world.harness.settle({ rounds: 4 });
    expect(reviewOf(world.harness.status, "ask")?.decision).toBeUndefined();
    expect(world.harness.status.phase).toBe("AwaitingReview");
    expectWaiting(world);
  });
});

function expectWaiting(world: GateWorld): void {
  expect(seen(world).asked).toEqual(["find"]);
  expect(
    seen(world)
      .nodes?.filter(({ role }) => role === "gate")
      .map(({ phase }) => phase),
  ).toEqual(["Running", "Running"]);
}

describe("a gate that is settled in Argo by hand", () => {
  const result = (value: string) => ({ outputs: { parameters: [{ name: "result", value }] } });
  const PHASES = ["Succeeded", "Failed", "Error"];
  const OUTPUTS: Readonly<Record<string, object>> = {
    approved: result("approved"),
    rejected: result("rejected"),
    skipped: result("skipped"),
    "not-run": result("not-run"),
    Approved: result("Approved"),
    "a step's result": result(`succeeded ${OTHER_DIGEST}`),
    nothing: {},
    "another parameter": { outputs: { parameters: [{ name: "decision", value: "approved" }] } },
    "a message": { message: "approved by ann" },
  };
  const hands = PHASES.flatMap((phase) =>
    Object.entries(OUTPUTS).map(([what, output]) => [phase, what, output] as const),
  );
  const OTHERS = ["Skipped", "Omitted"].map((phase) => [phase, "nothing", {}] as const);

  test.each([...hands, ...OTHERS])("as %s with %s", async (phase, _what, output) => {
    const world = await atGate();
    const finishedAt = "2026-01-01T10:01:00Z";
    world.harness.byHand("gate-ask", { phase, finishedAt, ...output });
    attacked();
    await world.harness.settle({ rounds: 8 });
    expect(world.harness.status.reviews?.every(({ decision }) => decision === undefined) ?? true).toBe(true);
    expect(world.harness.requests.map(({ step }) => step)).toEqual(["find"]);
    expect(world.harness.status.phase).not.toBe("Succeeded");
  });

  const nodes = (change: (nodes: Record<string, Record<string, unknown>>) => void) => (workflow: KubeObject) => {
    const status = workflow.status as { nodes: Record<string, Record<string, unknown>> };
    change(status.nodes);
    return workflow;
  };
  const gateOf = (all: Record<string, Record<string, unknown>>) =>
    Object.values(all).find(({ templateName }) => templateName === "gate-ask") ?? {};
  const started = (template: string, phase: string, more: object = {}) =>
    nodes((all) => {
      const id = `forged-${template}`;
      all[id] = { ...gateOf(all), id, name: id, templateName: template, phase, ...more };
    });
  const refrozen =
    (change: (pipeline: { steps: { name: string }[] }) => object) =>
    (workflow: KubeObject): KubeObject => {
      const pipeline = JSON.parse(workflow.metadata.annotations[PIPELINE_ANNOTATION] ?? "");
      const annotations = {
        ...workflow.metadata.annotations,
        [PIPELINE_ANNOTATION]: JSON.stringify({ ...pipeline, ...change(pipeline) }),
      };
      return { ...workflow, metadata: { ...workflow.metadata, annotations } };
    };
  const gateIs = (over: object) =>
    refrozen(({ steps }) => ({ steps: steps.map((step) => (step.name === "ask" ? { ...step, ...over } : step)) }));
  const reseal = (seal: string | undefined) => (workflow: KubeObject) => {
    const rewritten = gateIs({ when: "false" })(workflow);
    const { [SEAL_ANNOTATION]: _real, ...annotations } = rewritten.metadata.annotations;
    const sealed = { ...annotations, ...(seal === undefined ? {} : { [SEAL_ANNOTATION]: seal }) };
    return { ...rewritten, metadata: { ...rewritten.metadata, annotations: sealed } };
  };
  const rewrites: Readonly<Record<string, (workflow: KubeObject) => KubeObject>> = {
    "a second node of the gate, approved": started("gate-ask", "Succeeded", result("approved")),
    "the step after it started": started("step-write", "Running"),
    "the step after it settled": started("step-write", "Succeeded", result(`succeeded ${OTHER_DIGEST}`)),
    "the step after it skipped": started("step-write", "Succeeded", result("skipped")),
    "the end settled": started("end", "Succeeded", result("succeeded")),
    "the gate's node taken out": nodes((all) => {
      for (const [id, { templateName }] of Object.entries(all)) if (templateName === "gate-ask") delete all[id];
    }),
    "the gate's node made one of a step": nodes((all) => {
      gateOf(all)["templateName"] = "step-find";
    }),
    "the gate's node made another gate's": nodes((all) => {
      gateOf(all)["templateName"] = "gate-also";
    }),
    "the gate's node renamed to one that no template has": nodes((all) => {
      gateOf(all)["templateName"] = "gate-none";
    }),
    "a gate that is never asked": gateIs({ when: "false" }),
    "a gate whose timeout approves at once": gateIs({ gate: { timeout: "1s", onTimeout: "Approve" } }),
    "a pipeline without its gate": refrozen(({ steps }) => ({
      steps: steps.flatMap((step) => (step.name === "ask" ? [] : [{ ...step, after: [] }])),
    })),
    "a frozen pipeline without its seal": reseal(undefined),
    "a frozen pipeline with an empty seal": reseal(""),
    "a frozen pipeline with a seal of zeros": reseal(Buffer.alloc(64).toString("base64")),
    "a frozen pipeline sealed by a stranger": (workflow) => {
      const rewritten = gateIs({ when: "false" })(workflow);
      const { namespace, name, annotations } = rewritten.metadata;
      const text = [PIPELINE_ANNOTATION, namespace, name, annotations[PIPELINE_ANNOTATION]].join("\n");
      const { privateKey } = generateKeyPairSync("ed25519");
      return reseal(sign(null, Buffer.from(text), privateKey).toString("base64"))(workflow);
    },
    "the gate's start long ago": nodes((all) => {
      gateOf(all)["startedAt"] = "2020-01-01T00:00:00Z";
    }),
  };
  test.each(Object.entries(rewrites))("%s", async (_what, change) => {
    const world = await atGate();
    world.harness.editWorkflow(change);
    attacked();
    await world.harness.settle({ rounds: 8 });
    expect(world.harness.status.reviews?.every(({ decision }) => decision === undefined) ?? true).toBe(true);
    expect(world.harness.requests.map(({ step }) => step)).toEqual(["find"]);
    expect(world.harness.status.phase).not.toBe("Succeeded");
  });
});
