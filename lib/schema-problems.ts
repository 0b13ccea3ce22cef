import type { z } from "zod";

/** What a schema says against a value, in one line: `field.path: problem; other.field: problem`. */
export function schemaProblems({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; ");
}
