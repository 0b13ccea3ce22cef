import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { inSpan } from "../../lib/telemetry/span.ts";
import { inStoreCall, type StoreVerb } from "../../lib/telemetry/store-call.ts";
import { collectSpans } from "../telemetry/spans.ts";

const { spans, reset } = collectSpans();
beforeEach(reset);
const inNode = (work: () => Promise<unknown>) => inSpan("node work", {}, work);
const call = (verb: StoreVerb, ms = 0) => inStoreCall(verb, "key", () => sleep(ms, "bytes"));

test("calls are counted on the span that they are part of", async () => {
  await inNode(async () => {
    expect(await call("read")).toBe("bytes");
    await call("write");
    await call("read");
    await inSpan("inner", {}, () => call("read"));
  });
  expect(spans().map(({ name, attributes }) => [name, attributes])).toEqual([
    ["inner", { "agentic.artifact.reads": 1 }],
    ["node work", { "agentic.artifact.reads": 2, "agentic.artifact.writes": 1 }],
  ]);
});

test("a slow one has a span of its own, from its start", async () => {
  await inNode(() => call("read", 120));
  const [slow, node] = spans();
  expect(slow).toMatchObject({ name: "artifact read", parent: node?.id, attributes: { "agentic.artifact": "key" } });
  expect(slow?.ms).toBeGreaterThanOrEqual(100);
  expect(node?.attributes).toEqual({});
});

test("one that fails has a span that says why, and throws on", async () => {
  const away = (): Promise<never> => Promise.reject(new Error("no route"));
  await expect(inNode(() => inStoreCall("write", "key", away))).rejects.toThrow("no route");
  expect(spans()[0]).toMatchObject({ name: "artifact write", status: "no route" });
});

test("outside of a span it just works", async () => {
  expect(await call("read")).toBe("bytes");
  expect(spans()).toEqual([]);
});
