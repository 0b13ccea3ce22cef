import { describe, expect, test } from "vitest";
import { judge, type Reply } from "../../cli/local/reply.ts";

const IDENTITY = "0123456789abcdef0123456789abcdef";
const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 };
const data = { request: IDENTITY, outcome: "succeeded", artifacts: {}, usage };

function event(over: object = {}, type = "dev.agentic.step.completed"): Reply {
  const body = JSON.stringify({ specversion: "1.0", id: "1", type, source: "/x", data: { ...data, ...over } });
  return { status: 200, headers: { "content-type": "application/cloudevents+json" }, body };
}
const reply = (status: number, headers: Record<string, string> = {}, body = ""): Reply => ({ status, headers, body });

describe("an agent's answer", () => {
  test("is the step's result", () => {
    expect(judge(event(), IDENTITY)).toMatchObject({ is: "completed", result: { outcome: "succeeded" } });
  });

  test("may be a CloudEvent in binary mode", () => {
    const headers = {
      "content-type": "application/json",
      "ce-id": "1",
      "ce-type": "dev.agentic.step.completed",
      "ce-source": "/x",
      "ce-specversion": "1.0",
    };
    expect(judge(reply(200, headers, JSON.stringify(data)), IDENTITY)).toMatchObject({ is: "completed" });
  });

  test.each<[string, Reply, string, RegExp]>([
    ["an empty body", reply(200), "InvalidResult", /answered 200 without a body: it must answer/],
    [
      "HTML",
      reply(200, { "content-type": "text/html" }, "<!doctype html><p>hi"),
      "InvalidResult",
      /200 with text\/html .*doctype/,
    ],
    ["another event", event({}, "com.example.other"), "InvalidResult", /expected an event of type dev\.agentic\.step/],
    ["a result that is none", event({ outcome: "maybe" }), "InvalidResult", /invalid result: .*outcome/s],
    ["too much data", event({ data: "x".repeat(20_000) }), "InvalidResult", /16384 characters/],
    ["501 items", event({ items: Array(501).fill("x") }), "InvalidResult", /at most 500 items/],
    [
      "the answer to another request",
      event({ request: "f".repeat(32) }),
      "InvalidResult",
      /answered for the request f+/,
    ],
    ["404", reply(404), "AgentRefused", /answered 404: is that the address of an agent/],
    [
      "a redirect",
      reply(302, { location: "http://elsewhere/" }),
      "AgentRefused",
      /302 and redirects to http:\/\/elsewhere/,
    ],
    [
      "a refusal that says why",
      reply(401, { "agentic-reason": "InvalidToken", "agentic-message": "the%20token%20expired" }),
      "InvalidToken",
      /answered 401 \(InvalidToken: the token expired\)/,
    ],
    ["a message that is not encoded", reply(400, { "agentic-message": "100% wrong" }), "AgentRefused", /100% wrong/],
  ])("%s fails the step with a sentence", (_what, answer, reason, why) => {
    expect(judge(answer, IDENTITY)).toMatchObject({ is: "failed", reason, why: expect.stringMatching(why) });
  });

  test.each<[string, Reply, number, boolean]>([
    ["503 and Retry-After", reply(503, { "retry-after": "7" }), 7000, false],
    ["503 without Retry-After", reply(503), 1000, false],
    ["503 that asks for no pause", reply(503, { "retry-after": "0" }), 100, false],
    ["503 with a date", reply(503, { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }), 1000, false],
    ["503 that asks for a year", reply(503, { "retry-after": "31536000" }), 3_600_000, false],
    ["429", reply(429, { "retry-after": "2" }), 2000, false],
    ["500", reply(500), 1000, true],
  ])("%s is sent again", (_what, answer, afterMs, counts) => {
    expect(judge(answer, IDENTITY)).toMatchObject({ is: "again", afterMs, counts });
  });
});
