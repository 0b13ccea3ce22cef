import { expect, test } from "vitest";
import { linesOf, lineText } from "../../../cli/kubectl/log-lines.ts";

const at = (second: number) => `2026-11-30T10:00:0${second}.000Z`;
const line = (second: number, over: object, service = "read") => ({
  pod: `${service}-1`,
  service,
  text: JSON.stringify({ level: 30, time: at(second), name: service, pid: 1, hostname: "h", ...over }),
});
const DEMO = { namespace: "team-a", name: "demo" };
const textOf = (all: Parameters<typeof linesOf>[0], step?: string) => linesOf(all, { ...DEMO, step }).map(lineText);

test("lines of several functions that name the workload, merged by time", () => {
  const all = [
    line(3, {
      trace_id: "t",
      span_id: "s",
      workload: "team-a/demo",
      step: "read",
      identity: "x",
      outcome: "succeeded",
      msg: "step ended",
    }),
    line(
      1,
      { workload: "team-a/demo", level: 40, err: { message: "no Broker", stack: "s" }, msg: "reconcile blocked" },
      "reconcile",
    ),
    line(2, { review: "team-a/demo/ask", by: "ann", decision: "approved", msg: "review decision" }, "approve"),
    line(4, { review: "/review/team-a/demo", refused: "NotAllowed", msg: "review refused" }, "approve"),
  ];
  expect(textOf(all)).toEqual([
    `${at(1)}  WARN  reconcile  reconcile blocked  err="no Broker"`,
    `${at(2)}  INFO  approve  review decision  review=team-a/demo/ask  by=ann  decision=approved`,
    `${at(3)}  INFO  read  read  step ended  outcome=succeeded`,
    `${at(4)}  INFO  approve  review refused  review=/review/team-a/demo  refused=NotAllowed`,
  ]);
  expect(textOf(all, "read")).toEqual([expect.stringContaining("step ended")]);
});

test.each([
  ["of a workload whose name begins alike", { workload: "team-a/demo-2" }],
  ["of a review of such a workload", { review: "team-a/demo-2/ask" }],
  ["of a workload of that name elsewhere", { workload: "team-b/demo" }],
  ["that name none", {}],
])("not those %s", (_what, over) => {
  expect(textOf([line(1, over)])).toEqual([]);
});

test("what is no line of ours is left out", () => {
  const texts = [
    "hello",
    "null",
    "[1]",
    '{"workload":"team-a/demo"}',
    '{"workload":"team-a/demo","time":"now","level":30}',
  ];
  expect(textOf(texts.map((text) => ({ pod: "p", service: "s", text })))).toEqual([]);
});

test("a line cannot steer the terminal, nor pretend to be two", () => {
  const [text] = textOf([line(1, { workload: "team-a/demo", msg: "\u001b[2Ja\nb", url: "\u009b1A" })]);
  expect(text).toMatch(/^[^\p{Cc}]*$/u);
});
