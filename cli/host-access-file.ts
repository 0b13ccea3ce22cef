import { open } from "node:fs/promises";
import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import { accessProblems, type HeldAccess } from "../lib/host-access.ts";

const OTHERS = 0o077;

/** What a file of `--host-access` holds: in YAML or JSON, by host. A problem quotes nothing of it but names of hosts. */
export async function readHostAccess(
  file: string,
): Promise<{ readonly hostAccess: HeldAccess } | { readonly problem: string }> {
  try {
    await using handle = await open(file);
    const { mode } = await handle.stat();
    if ((mode & OTHERS) !== 0)
      return { problem: `${file} holds secrets, and others than you may read it: chmod 600 ${file}` };
    const held = z.record(z.string(), z.unknown()).safeParse(parse(await handle.readFile("utf8")));
    if (!held.success)
      return { problem: `${file}: expected names of hosts, each with headers, cookies or proxy (docs/host-access.md)` };
    const problems = accessProblems(held.data);
    return problems.length > 0
      ? { problem: problems.map((one) => `${file}: ${one}`).join("\n") }
      : { hostAccess: held.data };
  } catch (error) {
    // Its message quotes the line.
    if (error instanceof YAMLParseError)
      return { problem: `${file}: line ${error.linePos?.[0].line ?? "?"} is neither YAML nor JSON` };
    if (error instanceof Error && "code" in error) return { problem: `${file}: ${error.message}` };
    throw error;
  }
}
