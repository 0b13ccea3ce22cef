/** Writes docs/reference/metrics.md from lib/telemetry/metrics.ts; --check only says whether it is up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { METRIC, type Metric } from "../lib/telemetry/metrics.ts";

const path = fileURLToPath(new URL("reference/metrics.md", import.meta.url));
const row = ({ name, kind, unit, attributes, description }: Metric): string =>
  `| \`${name}\` | ${kind} | \`${unit}\` | ${attributes.map((one) => `\`${one}\``).join(", ")} | ${description} |`;
const content = `<!-- Generated from lib/telemetry/metrics.ts by npm run generate. -->
# Metrics

By OTLP, as [observability.md](../observability.md#metrics) says. Prometheus writes \`agentic.runs\` as \`agentic_runs_total\`, and a histogram in seconds as
\`…_seconds_bucket\`, \`_sum\` and \`_count\`.

| metric | kind | unit | attributes | |
| --- | --- | --- | --- | --- |
${Object.values(METRIC).map(row).join("\n")}
`;
if (!process.argv.includes("--check")) writeFileSync(path, content);
else if (readFileSync(path, "utf8") !== content) {
  console.error(
    "docs/reference/metrics.md is not what lib/telemetry/metrics.ts says: run 'npm run generate' and commit",
  );
  process.exitCode = 1;
}
