import { readFile } from "node:fs/promises";
import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import { type Correction, correctionsSchema } from "../crd/agentworkload.ts";
import { schemaProblems } from "../lib/schema-problems.ts";

/** The corrections in a file of `--corrections`: a list in YAML or JSON. */
export async function readCorrections(
  file: string,
): Promise<{ readonly corrections: Correction[] } | { readonly problem: string }> {
  try {
    return { corrections: correctionsSchema.parse(parse(await readFile(file, "utf8"))) };
  } catch (error) {
    if (error instanceof z.ZodError) return { problem: `${file}: ${schemaProblems(error)}` };
    if (error instanceof YAMLParseError || (error instanceof Error && "code" in error))
      return { problem: `${file}: ${error.message}` };
    throw error;
  }
}
