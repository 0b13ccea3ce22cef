/** Writes docs/reference/metrics.md from lib/telemetry/metrics.ts; --check only says whether it is up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { seriesOf } from "../config/observability/promql.ts";
import { METRIC, type Metric } from "../lib/telemetry/metrics.ts";

const path = fileURLToPath(new URL("reference/metrics.md", import.meta.url));
const row = (metric: Metric): string => {
  const { name, kind, unit, attributes, description } = metric;
  const cells = [`\`${name}\``, `\`${seriesOf(metric)}\``, kind, `\`${unit}\``];
  return `| ${cells.join(" | ")} | ${attributes.map((one) => `\`${one}\``).join(", ")} | ${description} |`;
};
const content = `<!-- Generated from lib/telemetry/metrics.ts by npm run generate. -->
# Metrics

By OTLP, as [observability.md](../observability.md#metrics) says. Prometheus adds \`_bucket\`, \`_sum\` and \`_count\` to a histogram's name, and writes dots in attributes
as \`_\`. A counter only grows, a gauge goes up and down.

| metric | in Prometheus | kind | unit | attributes | |
| --- | --- | --- | --- | --- | --- |
${Object.values(METRIC).map(row).join("\n")}
`;
if (!process.argv.includes("--check")) writeFileSync(path, content);
else if (readFileSync(path, "utf8") !== content) {
  console.error(
    "docs/reference/metrics.md is not what lib/telemetry/metrics.ts says: run 'npm run generate' and commit",
  );
  process.exitCode = 1;
}
