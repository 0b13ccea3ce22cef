import { writeFile } from "node:fs/promises";
import { reportJsonSchema } from "../functions/report/report.ts";

/** docs/report.schema.json, from the zod schema that report.json is written by. */
export async function generateReportSchema(): Promise<void> {
  await writeFile(new URL("report.schema.json", import.meta.url), `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
}

if (import.meta.main) await generateReportSchema();
