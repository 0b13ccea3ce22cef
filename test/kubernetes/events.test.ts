import { describe, expect, test } from "vitest";
import { list, until } from "./cluster.ts";
import { askFunction } from "./functions.ts";
import { SYSTEM } from "./workload.ts";

describe("events by hand", () => {
  const structured = { "content-type": "application/cloudevents+json" };
  const event = (over: object) => JSON.stringify({ specversion: "1.0", id: "1", source: "/test", type: "x", ...over });
  test.each<[string, string, string, number, RegExp]>([
    ["of another type", "scrape", event({ type: "com.example.nothing" }), 400, /expected an event of type/],
    ["without an id", "analyze", '{"specversion":"1.0","source":"/test","type":"x"}', 400, /not a CloudEvent/],
    ["garbage", "report", "%%%", 400, /not a CloudEvent/],
    [
      "with data of another shape",
      "scrape",
      event({ type: "dev.agentic.step.requested", data: { a: 1 } }),
      400,
      /workload/,
    ],
    [
      "for reconcile, of a type that it does not take",
      "reconcile",
      event({ type: "com.example.nothing" }),
      400,
      /takes no events/,
    ],
    [
      "a decision with a forged token",
      "approve",
      event({
        type: "dev.agentic.review.decided",
        data: { namespace: "x", name: "y", decision: "approved", digest: "0".repeat(64), token: "forged" },
      }),
      401,
      /invalid or has expired/,
    ],
    ["of 9 MB", "analyze", event({ data: "x".repeat(9 * 1024 * 1024) }), 413, /^$/],
  ])("%s: %s refuses it with a reason", async (_what, name, body, status, words) => {
    const answer = await until(`an answer of ${name}'s own`, async () => {
      const given = await askFunction(name, "/", { method: "POST", headers: structured, body });
      // The gateway's, of a connection that was closed while it was still sending the body: half a second is not always enough.
      return [502, 503].includes(given.status) ? undefined : given;
    });
    const message = decodeURIComponent(String(answer.headers["agentic-message"] ?? ""));
    expect([answer.status, message]).toEqual([status, expect.stringMatching(words)]);
  });

  test("nothing was restarted by any of it", async () => {
    const pods = await list("pods", SYSTEM, "serving.knative.dev/service");
    const restarts = pods.flatMap(({ status }) => status.containerStatuses ?? []);
    expect(restarts.filter(({ restartCount }: { restartCount: number }) => restartCount > 0)).toEqual([]);
  });
});
