import { expect, test } from "vitest";
import type { ChangeRequest, Correction } from "../../../crd/agentworkload.ts";
import { changesOf } from "../../../engine/changes.ts";
import type { Run } from "../../../engine/run.ts";

const said = (item: string | undefined, fact: string): Correction => ({
  step: "read",
  ...(item === undefined ? {} : { item }),
  fact,
  of: "$9",
  action: "strike",
});
const facts = [said("a", "price"), said('{"at":1,"name":"b"}', "size"), said(undefined, "all")];
const request: ChangeRequest = {
  run: "r",
  gate: "ask",
  digest: "d",
  steps: ["read"],
  comment: "look again",
  corrections: facts,
  by: "ann",
  at: "2026-11-01T10:00:00.000Z",
};
const run = { changes: [request, { ...request, steps: ["other"] }] } as unknown as Run;

test("a step is told what was said of the facts of its own item, and a step without items all of it", () => {
  const told = (item?: Parameters<typeof changesOf>[2]) =>
    changesOf(run, "read", item)?.map(({ corrections }) => corrections?.map(({ fact }) => fact));
  expect([told("a"), told({ name: "b", at: 1 }), told("c"), told()]).toEqual([
    [["price", "all"]],
    [["size", "all"]],
    [["all"]],
    [["price", "size", "all"]],
  ]);
});

test("a step that nobody asked for changes is told nothing", () => {
  expect(changesOf(run, "write", "a")).toBeUndefined();
  const plain = { changes: [{ ...request, corrections: undefined }] } as unknown as Run;
  expect(changesOf(plain, "read", "a")).toEqual([{ gate: "ask", comment: "look again" }]);
});
