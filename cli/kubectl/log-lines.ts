import { z } from "zod";
import type { PodLine } from "../../lib/edges/pod-logs.ts";
import { ATTRIBUTE } from "../../lib/telemetry/attributes.ts";
import { printable } from "../printable.ts";

/** What the functions write (lib/log.ts). Agents of one's own may write anything. */
const lineSchema = z.looseObject({
  time: z.iso.datetime(),
  level: z.number(),
  msg: z.string().default(""),
  /** NAMESPACE/NAME */
  workload: z.string().optional(),
  step: z.string().optional(),
  /** Audit records name both otherwise. */
  [ATTRIBUTE.namespace]: z.string().optional(),
  [ATTRIBUTE.workload]: z.string().optional(),
  [ATTRIBUTE.step]: z.string().optional(),
});

export interface LogLine extends z.infer<typeof lineSchema> {
  readonly pod: string;
  readonly service: string;
}

/** Those that name the workload, and the step if one is asked for; the earliest first. */
export function linesOf(
  all: readonly PodLine[],
  { namespace, name, step }: { readonly namespace: string; readonly name: string; readonly step?: string | undefined },
): LogLine[] {
  const workload = `${namespace}/${name}`;
  return all
    .flatMap(({ pod, service, text }) => {
      const line = parse(text);
      if (!line || (step !== undefined && (line.step ?? line[ATTRIBUTE.step]) !== step)) return [];
      const named = line.workload ?? `${line[ATTRIBUTE.namespace]}/${line[ATTRIBUTE.workload]}`;
      return named === workload ? [{ ...line, pod, service }] : [];
    })
    .toSorted((a, b) => a.time.localeCompare(b.time));
}

function parse(text: string): z.infer<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const LEVELS: Readonly<Record<number, string>> = {
  10: "TRACE",
  20: "DEBUG",
  30: "INFO",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};
/** Said by the columns, or the same in each line. */
const SAID = new Set<string>([
  "time",
  "level",
  "msg",
  "workload",
  "step",
  "pod",
  "service",
  "name",
  "pid",
  "hostname",
  "identity",
  "audit",
  "event",
  ATTRIBUTE.namespace,
  ATTRIBUTE.workload,
  ATTRIBUTE.step,
  // For who looks for the trace: in -o json.
  "trace_id",
  "span_id",
]);

export function lineText(line: LogLine): string {
  const { time, level, service, msg, step = line[ATTRIBUTE.step], ...rest } = line;
  const more = Object.entries(rest).flatMap(([key, value]) =>
    SAID.has(key) || value === undefined ? [] : [`${key}=${valueText(key, value)}`],
  );
  const parts = [time, LEVELS[level] ?? String(level), service, ...(step ? [step] : []), msg, ...more];
  return parts.map(printable).join("  ");
}

/** Of an error its message: the stack is in `-o json`. */
function valueText(key: string, value: unknown): string {
  const message = key === "err" ? z.object({ message: z.string() }).safeParse(value).data?.message : undefined;
  if (message !== undefined) return JSON.stringify(message);
  return typeof value === "string" && /^[\w./:-]+$/.test(value) ? value : JSON.stringify(value);
}
