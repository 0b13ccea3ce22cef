import { expect, test } from "vitest";
import { recordOfLine } from "../../lib/telemetry/log-lines.ts";

const at = "2026-11-30T10:00:00.000Z";
const line = (over: object) =>
  recordOfLine(
    JSON.stringify({ level: 30, time: at, name: "scrape", pid: 1, hostname: "h", msg: "step ended", ...over }),
  );

test.each([
  [10, 1, "TRACE"],
  [20, 5, "DEBUG"],
  [30, 9, "INFO"],
  [40, 13, "WARN"],
  [50, 17, "ERROR"],
  [60, 21, "FATAL"],
  [35, 0, "35"],
])("level %i is severity %i", (level, severityNumber, severityText) => {
  expect(line({ level })).toMatchObject({ severityNumber, severityText });
});

test("its fields are attributes, but for those that the resource and the span say", () => {
  const said = line({ step: "scrape", outcome: "failed", trace_id: "t", span_id: "s" });
  expect(said).toMatchObject({ timestamp: new Date(at), body: "step ended" });
  expect(said?.attributes).toEqual({ step: "scrape", outcome: "failed" });
});

test("an error is one in the standard's words", () => {
  const err = { type: "TypeError", message: "x is not a function", stack: "at y" };
  expect(line({ err })?.attributes).toEqual({
    "exception.type": "TypeError",
    "exception.message": "x is not a function",
    "exception.stacktrace": "at y",
  });
});

test.each([
  ["an audit record, which goes by itself", { audit: true }],
  ["what is said of a receiver: it would have no end", { receiver: "OTLP", lostRecords: 3 }],
])("none of %s", (_what, over) => expect(line(over)).toBeUndefined());
