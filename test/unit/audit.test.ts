import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { logs } from "@opentelemetry/api-logs";
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { pino } from "pino";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { AUDIT, AUDIT_ATTRIBUTE } from "../../lib/telemetry/audit.ts";
import { ROOT } from "../func/command.ts";

const exporter = new InMemoryLogRecordExporter();
logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }));
afterAll(() => logs.disable());
const lines: Record<string, unknown>[] = [];
const logAt = (level: string) => pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) });
beforeEach(() => {
  lines.length = 0;
  exporter.reset();
});

describe("the list of audit events", () => {
  const all = Object.values(AUDIT);

  test("names each once", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name } of all) expect(name).toMatch(/^agentic\.audit\.[a-z]+\.[a-z]+$/);
  });

  test("has no attribute that no event has", () => {
    expect(new Set(all.flatMap(({ attributes }): readonly string[] => attributes))).toEqual(
      new Set(Object.keys(AUDIT_ATTRIBUTE)),
    );
  });

  test("is emitted by the code, each of them", () => {
    const sources = ["functions", "lib", "egress"].map((folder) => sourcesOf(folder)).join("\n");
    for (const key of Object.keys(AUDIT)) expect(sources).toMatch(new RegExp(`AUDIT\\.${key}\\b`));
  });
});

describe("an audit record", () => {
  const given = { "agentic.step.identity": "team-a.1", "server.address": "evil.example", "server.port": 443 } as const;

  test("is a line of the log and a record of OTLP, with the same fields", () => {
    AUDIT.egressRefused.record(logAt("info"), { ...given, "agentic.reason": "HostNotAllowed" });
    const same = { ...given, "agentic.reason": "HostNotAllowed" };
    const [line, ...more] = lines;
    expect(more).toEqual([]);
    expect(line).toMatchObject({
      level: 30,
      audit: true,
      event: "agentic.audit.egress.refused",
      msg: "egress refused",
      ...same,
    });
    const [record] = exporter.getFinishedLogRecords();
    expect(record).toMatchObject({
      eventName: "agentic.audit.egress.refused",
      severityNumber: 9,
      severityText: "INFO",
    });
    expect(record?.attributes).toEqual(same);
    expect(record?.instrumentationScope.name).toBe("audit");
  });

  test.each([
    ["error", 1],
    ["warn", 1],
    ["silent", 0],
  ])("where LOG_LEVEL is %s there are %i lines of it, and a record in any case", (level, expected) => {
    AUDIT.created.record(logAt(level), { "user.name": "ann" });
    expect([lines.length, exporter.getFinishedLogRecords().length]).toEqual([expected, 1]);
  });

  test("has no secret, no end that is cut in the middle of one, and no field of unknown value", () => {
    const secret = "hunter2hunter2";
    const long = `${"x".repeat(480)} password=${secret}`;
    for (const message of [`spec.inputs.url https://ann:${secret}@shop.example/ is private`, long]) {
      AUDIT.refused.record(logAt("info"), { "agentic.message": message, "user.name": undefined });
      const text = JSON.stringify([lines, exporter.getFinishedLogRecords().map(({ attributes }) => attributes)]);
      expect(text).not.toContain(secret.slice(0, 5));
      expect(text).not.toContain("user.name");
    }
  });

  test("is bounded, whoever words it", () => {
    const name = "a".repeat(10_000);
    AUDIT.keyChanged.record(logAt("info"), {
      "agentic.key.use": name,
      "agentic.key.accepted": Array.from({ length: 100 }, () => name),
    });
    const [record] = exporter.getFinishedLogRecords();
    expect(record?.attributes["agentic.key.use"]).toHaveLength(500);
    expect(record?.attributes["agentic.key.accepted"]).toEqual(Array.from({ length: 20 }, () => "a".repeat(500)));
  });
});

function sourcesOf(folder: string): string {
  return globSync(`${folder}/**/*.ts`, { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), "utf8"))
    .join("\n");
}
