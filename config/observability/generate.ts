/** Writes the dashboards and the alert rules from what says them here. With --check it only reports files that are out of date. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { ALERTS } from "./alerts.ts";
import { COST } from "./cost.ts";
import { FLEET } from "./fleet.ts";
import { RUN } from "./run.ts";

/** Each has its page in docs/runbooks; the site of the documents serves it at this path. */
const rules = ALERTS.map(({ annotations, ...rule }) => ({
  ...rule,
  annotations: { ...annotations, runbook_url: `runbooks/${rule.alert}` },
}));
const groups = [{ name: "agentic", rules }];
const yaml = (object: object): string =>
  `# Generated from config/observability/alerts.ts by 'npm run generate'.\n${stringify(object, { lineWidth: 120, aliasDuplicateObjects: false })}`;

const files = {
  ...Object.fromEntries(
    Object.entries({ fleet: FLEET, run: RUN, cost: COST }).map(([name, dashboard]) => [
      `${name}.json`,
      `${JSON.stringify(dashboard, null, 2)}\n`,
    ]),
  ),
  // For Prometheus itself, and for its operator.
  "alerts.yaml": yaml({ groups }),
  "prometheus-rule.yaml": yaml({
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "agentic" },
    spec: { groups },
  }),
};

for (const [name, content] of Object.entries(files)) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  if (!process.argv.includes("--check")) writeFileSync(file, content);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== content) {
    console.error(`config/observability/${name} is out of date: run 'npm run generate' and commit`);
    process.exitCode = 1;
  }
}
