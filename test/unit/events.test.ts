import { expect, test } from "vitest";
import { parseEvent } from "../../lib/events.ts";

const attributes = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "t" };

test.each<[string, Record<string, string>, string]>([
  ["binary", { ...attributes, "content-type": "application/json" }, '{"a":1}'],
  ["binary, without a content type, as a Broker hands on an event that has none", attributes, '{"a":1}'],
  [
    "structured",
    { "content-type": "application/cloudevents+json" },
    '{"specversion":"1.0","id":"1","source":"/x","type":"t","data":{"a":1}}',
  ],
])("%s", (_what, headers, body) => {
  expect(parseEvent(headers, body)).toMatchObject({ id: "1", type: "t", data: { a: 1 } });
});

test.each<[string, Record<string, string>, string]>([
  ["nothing of an event", {}, "hello"],
  ["no id", { ...attributes, "ce-id": "" }, "{}"],
  ["no id at all", { "ce-specversion": "1.0", "ce-source": "/x", "ce-type": "t" }, "{}"],
  [
    "no id, structured",
    { "content-type": "application/cloudevents+json" },
    '{"specversion":"1.0","source":"/x","type":"t"}',
  ],
  ["no version", { ...attributes, "ce-specversion": "" }, "{}"],
  ["another version", { ...attributes, "ce-specversion": "0.1" }, "{}"],
  [
    "another version, structured",
    { "content-type": "application/cloudevents+json" },
    '{"specversion":"2.0","id":"1","source":"/x","type":"t"}',
  ],
  ["data that is no JSON, and nothing says what it is", attributes, "{"],
  ["a batch", { "content-type": "application/cloudevents-batch+json" }, "[]"],
])("refused: %s", (_what, headers, body) => {
  expect(() => parseEvent(headers, body)).toThrow(/not a CloudEvent/);
});
