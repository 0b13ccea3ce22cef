/** Writes docs/reference/audit.md from lib/telemetry/audit.ts; --check only says whether it is up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AUDIT, AUDIT_ATTRIBUTE, AUDIT_SCOPE, type AuditEvent } from "../lib/telemetry/audit.ts";

const path = fileURLToPath(new URL("reference/audit.md", import.meta.url));
const code = (names: readonly string[]): string => names.map((one) => `\`${one}\``).join(", ");
const row = ({ name, level, saidBy, attributes, description }: Omit<AuditEvent, "record">): string =>
  `| \`${name}\` | ${level} | ${saidBy.join(", ")} | ${code(attributes)} | ${description} |`;
const content = `<!-- Generated from lib/telemetry/audit.ts by npm run generate. -->
# Audit events

As [observability.md](../observability.md#audit) says: log records of the scope \`${AUDIT_SCOPE}\` whose \`EventName\` is one of these, and lines of the process's own log with
\`"audit": true\`, \`"event"\` and the same attributes. An attribute that is not known is left out.

| event | severity | said by | attributes | |
| --- | --- | --- | --- | --- |
${Object.values(AUDIT).map(row).join("\n")}

| attribute | |
| --- | --- |
${Object.entries(AUDIT_ATTRIBUTE)
  .map(([name, description]) => `| \`${name}\` | ${description} |`)
  .join("\n")}
`;
if (!process.argv.includes("--check")) writeFileSync(path, content);
else if (readFileSync(path, "utf8") !== content) {
  console.error("docs/reference/audit.md is not what lib/telemetry/audit.ts says: run 'npm run generate' and commit");
  process.exitCode = 1;
}
