import { generateKeyPairSync } from "node:crypto";
import { FlattenedSign } from "jose";
import { describe, expect, test } from "vitest";
import { pipelineSpecSchema } from "../../crd/agentpipeline.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import { artifactKey } from "../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { type Evidence, evidenceOf } from "../../engine/evidence.ts";
import type { Decision } from "../../engine/findings.ts";
import { type OutcomeTable, setOutcome } from "../../engine/outcomes.ts";
import { failedResult, NO_USAGE, type StepResult } from "../../engine/result.ts";
import { runOf } from "../../engine/run.ts";
import { signEvidence, verifyEvidence } from "../../lib/evidence.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const WORKLOAD = { namespace: "team-a", name: "demo", uid: "5e1c0de0-0000-4000-8000-000000000001" };
const keyOf = (text: string, extension = "html") => artifactKey(WORKLOAD, sha256(text), extension);
const modelCalls = (costUsd: number) => [
  { model: "m", purpose: "test", prompt: sha256("Read."), calls: 2, inputTokens: 10, outputTokens: 1, costUsd },
];
const succeeded = (artifacts: Record<string, string>, costUsd = 0): StepResult => ({
  outcome: "succeeded",
  artifacts,
  usage: { ...NO_USAGE, costUsd },
  modelCalls: modelCalls(costUsd),
});
const pipeline = pipelineSpecSchema.parse({
  inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items" },
    { name: "review", after: ["fetch"], gate: {} },
    { name: "write", agent: "write", after: ["review", "fetch"] },
  ],
});
const run = runOf(WORKLOAD, workloadSpecSchema.parse({ pipeline: "p", inputs: { items: ["a", "b"] } }), {
  namespace: "agentic-system",
  name: "p",
  steps: pipeline.steps,
  output: "write",
  agents: {
    fetch: { namespace: "agentic-system", name: "fetch", revision: "r1" },
    write: { namespace: "agentic-system", name: "write", revision: "r2" },
  },
});
const outcomes: OutcomeTable = new Map();
setOutcome(outcomes, "fetch", 0, succeeded({ page: keyOf("page a", "txt") }, 0.25));
setOutcome(outcomes, "fetch", 1, failedResult("Blocked", "the site blocks"));
setOutcome(outcomes, "write", undefined, succeeded({ html: keyOf("report"), json: keyOf("{}", "json") }, 0.5));
const decision: Decision = {
  gate: "review",
  digest: "d".repeat(64),
  decision: "approved",
  by: "ann",
  how: "ReviewLink",
  automatic: false,
  at: "2026-11-30T12:00:00.000Z",
};
const evidence = evidenceOf({
  run,
  outcomes,
  decisions: [decision],
  phase: "Succeeded",
  startedAt: new Date("2026-11-30T11:00:00Z"),
  finishedAt: new Date("2026-11-30T12:01:00Z"),
});
const bundle = await signEvidence(evidence, privateKey);
/** As somebody who has the key, and signs something else. */
const signed = async (claims: unknown, header: object = {}): Promise<string> =>
  JSON.stringify(
    await new FlattenedSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "EdDSA", typ: "agentic-evidence+jws", ...header })
      .sign(privateKey),
  );
const problemOf = async (file: string, key = publicKey) => {
  const verified = await verifyEvidence(file, key);
  return "problem" in verified ? verified.problem : undefined;
};
const changed = (change: (evidence: Evidence) => void): Evidence => {
  const copy = structuredClone(evidence) as Evidence;
  change(copy);
  return copy;
};
type Chain = { entry: Record<string, unknown>; hash: string }[];
const chainOf = ({ predicate }: Evidence) => predicate.chain as unknown as Chain;

describe("evidence of a run", () => {
  test("holds, with either half of the key, and is the same each time", async () => {
    expect(await verifyEvidence(bundle, publicKey)).toEqual({ evidence });
    expect(await verifyEvidence(bundle, privateKey)).toEqual({ evidence });
    expect(await signEvidence(evidence, privateKey)).toBe(bundle);
  });

  test("says what was asked, what each step left, who decided, and what came out", () => {
    expect(evidence.subject).toEqual([
      { name: "html", digest: { sha256: sha256("report") } },
      { name: "json", digest: { sha256: sha256("{}") } },
    ]);
    expect(evidence.predicate.usage.costUsd).toBe(0.75);
    expect(evidence.predicate.chain.map(({ entry }) => entry)).toMatchObject([
      { kind: "inputs", inputs: { items: ["a", "b"] } },
      { kind: "pipeline", agents: { fetch: { agent: "agentic-system/fetch", revision: "r1" } } },
      { kind: "step", step: "fetch", index: 0, item: "a", outcome: "succeeded", modelCalls: modelCalls(0.25) },
      { kind: "step", step: "fetch", index: 1, item: "b", outcome: "failed", reason: "Blocked" },
      { kind: "step", step: "write", outcome: "succeeded", result: sha256(canonicalJson(outcomes.get("write")?.[0])) },
      { kind: "decision", decision: { gate: "review", by: "ann" } },
    ]);
  });

  test("names the run that this one was compared with", () => {
    const comparison = {
      workload: "last",
      uid: "uid-0",
      results: keyOf("results", "json").replace(WORKLOAD.uid, "uid-0"),
    };
    const said = evidenceOf({
      run: { ...run, comparison },
      outcomes: new Map(),
      decisions: [],
      phase: "Succeeded",
      startedAt: new Date(0),
      finishedAt: new Date(0),
    });
    expect(said.predicate.chain.map(({ entry }) => entry)).toContainEqual({
      kind: "comparedWith",
      workload: { namespace: WORKLOAD.namespace, name: "last", uid: "uid-0" },
      results: sha256("results"),
    });
  });

  test("does not hold with any one character changed", async () => {
    const passed: number[] = [];
    for (let at = 0; at < bundle.length - 1; at++) {
      const flipped = String.fromCharCode(bundle.charCodeAt(at) ^ 1);
      if ((await problemOf(bundle.slice(0, at) + flipped + bundle.slice(at + 1))) === undefined) passed.push(at);
    }
    // The last character of 64 bytes in base64url holds four bits that say nothing; a decoder may pass them over.
    const { signature } = JSON.parse(bundle) as { signature: string };
    const end = bundle.indexOf(signature) + signature.length - 1;
    expect(passed.filter((at) => at !== end)).toEqual([]);
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    ["no JSON", async () => "hello", /no evidence/],
    ["a token", async () => JSON.stringify({ token: "x" }), /no evidence/],
    ["another type of JWS", () => signed(evidence, { typ: "JWT" }), /no evidence of a run/],
    ["no statement", () => signed({ hello: "world" }), /the statement is invalid/],
    ["another predicate", () => signed({ ...evidence, predicateType: "https://slsa.dev" }), /predicateType/],
    [
      "a step's outcome changed, by who has the key",
      () => signed(changed((one) => void Object.assign(chainOf(one)[3]?.entry ?? {}, { outcome: "succeeded" }))),
      /entry 4 of the chain \(step fetch, item 1\)/,
    ],
    [
      "a step left out",
      () => signed(changed((one) => void chainOf(one).splice(3, 1))),
      /entry 4 of the chain \(step write\)/,
    ],
    [
      "a decision in another's name",
      () => signed(changed((one) => void Object.assign(chainOf(one)[5]?.entry["decision"] as object, { by: "ben" }))),
      /decision at gate review/,
    ],
    [
      "another output",
      () => signed({ ...evidence, subject: [{ name: "html", digest: { sha256: sha256("other") } }] }),
      /not the artifacts of step write/,
    ],
    [
      "another cost",
      () => signed(changed(({ predicate }) => void Object.assign(predicate.usage, { costUsd: 0.1 }))),
      /not the sum/,
    ],
  ])("with %s does not hold, and says why", async (_what, file, words) => {
    expect(await problemOf(await file())).toMatch(words);
  });

  test("of another signer does not hold", async () => {
    expect(await problemOf(bundle, other.publicKey)).toMatch(/not this key's/);
    const { payload } = JSON.parse(bundle) as { payload: string };
    const none = Buffer.from(JSON.stringify({ alg: "none", typ: "agentic-evidence+jws" })).toString("base64url");
    expect(await problemOf(JSON.stringify({ payload, protected: none, signature: "" }))).toMatch(/not this key's/);
  });
});
