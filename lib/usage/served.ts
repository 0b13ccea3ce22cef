import { z } from "zod";

// How the function artifacts hands out usage records, and `kubectl agentic usage` reads them.

/** Of the tokens that permit it: the API server itself refuses them. */
export const USAGE_AUDIENCE = "agentic-usage";
/** The API server's proxy takes Authorization away. */
export const USAGE_TOKEN_HEADER = "agentic-token";
/** Why it is refused. */
export const USAGE_DENIED = "UsageNotYours";

const lineSchema = z.union([
  z.strictObject({ file: z.string() }),
  z.strictObject({ broken: z.string() }),
  z.strictObject({ end: z.int() }),
]);
export type UsageLine = z.infer<typeof lineSchema>;

export interface ServedUsage {
  readonly files: readonly string[];
  /** Keys of objects that are no record. */
  readonly broken: readonly string[];
}

/** undefined: it broke off. @throws ZodError, SyntaxError for what is no answer of the function */
export function readServed(text: string): ServedUsage | undefined {
  const lines = text.split("\n").flatMap((line) => (line === "" ? [] : [lineSchema.parse(JSON.parse(line))]));
  const last = lines.pop();
  if (!last || !("end" in last) || last.end !== lines.length) return undefined;
  return {
    files: lines.flatMap((line) => ("file" in line ? [line.file] : [])),
    broken: lines.flatMap((line) => ("broken" in line ? [line.broken] : [])),
  };
}
