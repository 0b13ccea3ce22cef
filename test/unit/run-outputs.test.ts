import { expect, test } from "vitest";
import { outputFiles } from "../../cli/local/outputs.ts";
import { pipelineStepSchema } from "../../crd/agentpipeline.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import type { StepOutcome } from "../../engine/outcomes.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { runOf } from "../../engine/run.ts";

function paths(step: object, ...made: (Record<string, string> | undefined)[]): Record<string, string> {
  const parsed = pipelineStepSchema.parse({ agent: "a", ...step });
  const run = runOf(
    { namespace: "default", name: "demo", uid: "uid" },
    workloadSpecSchema.parse({ inputs: { items: made.map(String) } }),
    { namespace: "default", name: "demo", steps: [parsed], output: parsed.name, agents: {} },
  );
  const outcomes = made.map(
    (artifacts): StepOutcome => ({
      outcome: artifacts ? "succeeded" : "failed",
      artifacts: artifacts ?? {},
      usage: NO_USAGE,
    }),
  );
  return Object.fromEntries(outputFiles(run, new Map([[parsed.name, outcomes]])).map(({ name, path }) => [name, path]));
}
const key = (extension: string): string => `uid/${"0".repeat(64)}.${extension}`;

test.each<[string, object, (Record<string, string> | undefined)[], Record<string, string>]>([
  [
    "the step's name and the extension, whatever the role",
    { name: "report" },
    [{ html: key("html"), markdown: key("md") }],
    { html: "report.html", markdown: "report.md" },
  ],
  [
    "the role where two have one extension",
    { name: "report" },
    [{ issues: key("csv"), pages: key("csv"), page: key("html") }],
    { issues: "issues.csv", pages: "pages.csv", page: "report.html" },
  ],
  [
    "no summary, which is for reviewers",
    { name: "report" },
    [{ json: key("json"), summary: key("json") }],
    { json: "report.json" },
  ],
  ["the state file is left alone", { name: "run" }, [{ json: key("json") }], { json: "outputs/run.json" }],
  [
    "index and role in a fan-out",
    { name: "audit", forEach: "inputs.items" },
    [{ page: key("html") }, undefined, { page: key("html") }],
    { "0-page": "outputs/0-page.html", "2-page": "outputs/2-page.html" },
  ],
  [
    "no path, whatever the role is",
    { name: "report" },
    [{ "../../etc/passwd": key("txt"), b: key("txt") }],
    { "../../etc/passwd": "_etc_passwd.txt", b: "b.txt" },
  ],
])("outputs are named by %s", (_what, step, made, expected) => {
  expect(paths(step, ...made)).toEqual(expected);
});
