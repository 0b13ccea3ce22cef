import { expect, test } from "vitest";
import { linesOf, lineText } from "../../../cli/kubectl/log-lines.ts";

const at = (second: number) => `2026-11-30T10:00:0${second}.000Z`;
const line = (second: number, over: object, service = "read") => ({
  pod: `${service}-1`,
  service,
  text: JSON.stringify({ level: 30, time: at(second), name: service, pid: 1, hostname: "h", ...over }),
});
const audit = {
  audit: true,
  event: "agentic.audit.decision.made",
  "agentic.workload.namespace": "team-a",
  "agentic.workload.name": "demo",
  "agentic.step": "ask",
};
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
    line(2, { ...audit, "user.name": "ann", "agentic.outcome": "approved", msg: "review decision" }, "approve"),
  ];
  expect(textOf(all)).toEqual([
    `${at(1)}  WARN  reconcile  reconcile blocked  err="no Broker"`,
    `${at(2)}  INFO  approve  ask  review decision  user.name=ann  agentic.outcome=approved`,
    `${at(3)}  INFO  read  read  step ended  outcome=succeeded`,
  ]);
  expect(textOf(all, "read")).toEqual([expect.stringContaining("step ended")]);
  expect(textOf(all, "ask")).toEqual([expect.stringContaining("review decision")]);
});

test.each([
  ["of a workload whose name begins alike", { workload: "team-a/demo-2" }],
  ["of an audit record of such a workload", { ...audit, "agentic.workload.name": "demo-2" }],
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
