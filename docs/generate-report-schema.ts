/** Writes docs/report.schema.json from the zod schema that report.json is written by; --check only says whether it is up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { reportJsonSchema } from "../functions/report/report.ts";

const path = fileURLToPath(new URL("report.schema.json", import.meta.url));
const content = `${JSON.stringify(reportJsonSchema(), null, 2)}\n`;
if (!process.argv.includes("--check")) writeFileSync(path, content);
else if (readFileSync(path, "utf8") !== content) {
  console.error(
    "docs/report.schema.json is not what functions/report/report.ts says: run 'npm run generate' and commit",
  );
  process.exitCode = 1;
}
