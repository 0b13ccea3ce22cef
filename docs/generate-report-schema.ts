import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { reportJsonSchema } from "../functions/report/report.ts";

const FILE = fileURLToPath(new URL("report.schema.json", import.meta.url));
const BIOME = fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url));

/** docs/report.schema.json, from the zod schema that report.json is written by; formatted as all of the repository is. */
export async function generateReportSchema(): Promise<void> {
  await writeFile(FILE, `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
  execFileSync(BIOME, ["format", "--write", FILE], { stdio: "pipe" });
}

if (import.meta.main) await generateReportSchema();
