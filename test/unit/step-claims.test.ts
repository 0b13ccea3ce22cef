import { expect, test } from "vitest";
import { stepOf } from "../../engine/run.ts";
import { claimsForStep } from "../../lib/step-claims.ts";
import { runWith } from "./engine/build.ts";

const DEADLINE = new Date("2030-01-01T10:00:00Z");

function claimsOf(step: Record<string, unknown>, spec: object) {
  const run = runWith([{ name: "fetch", ...step }], spec);
  const fetch = stepOf(run, "fetch");
  if (!fetch) throw new Error("the run has no step fetch");
  return claimsForStep(run, { step: fetch }, { identity: "identity-1", deadline: DEADLINE, spentUsd: 0.25 });
}

test("a token says for which step of which run it is, and until when", () => {
  const { run } = runWith([{ name: "fetch" }]);
  expect(claimsOf({}, {})).toEqual({
    sub: "uid-1",
    jti: "identity-1",
    run,
    allow: [],
    deadline: DEADLINE.toISOString(),
    retryLimit: expect.any(Number),
    spentUsd: 0.25,
  });
});

test.each<[string, Record<string, unknown>, object, object]>([
  [
    "the step's own retry limit, where it is lower",
    { retry: { limit: 1 } },
    { retry: { limit: 3 } },
    { retryLimit: 1 },
  ],
  ["the workload's, where that is lower", { retry: { limit: 3 } }, { retry: { limit: 1 } }, { retryLimit: 1 }],
  ["no host without egress", {}, { egress: { allow: ["cdn.example"] } }, { allow: [] }],
  [
    "hosts that both allow",
    { egress: { allow: ["a.cdn.example", "b.example"] } },
    { egress: { allow: ["*.cdn.example"] } },
    { allow: ["a.cdn.example"] },
  ],
  ["the workload's budget", {}, { budget: { maxUsd: "0.50" } }, { budgetUsd: "0.50" }],
])("it carries %s", (_what, step, spec, claims) => {
  expect(claimsOf(step, spec)).toMatchObject(claims);
});
