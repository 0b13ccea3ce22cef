import { describe, expect, test } from "vitest";
import { explanation } from "../../cli/commands/explain.ts";
import { startingWorkload } from "../../cli/commands/init.ts";
import { placeholderOf } from "../../cli/placeholder.ts";
import { agentPipelineSchema } from "../../crd/agentpipeline.ts";
import { parseDocuments } from "../../crd/parse.ts";
import { inputProblems } from "../../engine/check.ts";
import { validateBySchema } from "../../engine/json-schema.ts";
import { loadShipped } from "../../pipelines/shipped.ts";

const pipeline = agentPipelineSchema.parse({
  apiVersion: "agentic.dev/v1alpha1",
  kind: "AgentPipeline",
  metadata: { name: "audit", namespace: "tools" },
  spec: {
    description: "Audits things.",
    inputs: {
      schema: {
        type: "object",
        required: ["pages", "level"],
        additionalProperties: false,
        properties: {
          note: { type: "string", description: "For the report." },
          pages: { type: "array", minItems: 3, uniqueItems: true, items: { type: "string", format: "uri" } },
          level: { enum: ["A", "AA"], description: "How strict." },
        },
      },
    },
    steps: [
      { name: "audit", agent: "auditor", forEach: "inputs.pages" },
      { name: "check", gate: { show: ["audit"], timeout: "2h" }, after: ["audit"], when: "steps.audit.failed > 0" },
    ],
  },
});

/** The spec of a workload's text, which must be a valid document. */
function specOf(text: string) {
  const parsed = parseDocuments(text);
  const [document] = "documents" in parsed ? parsed.documents : [];
  if (document?.kind !== "AgentWorkload") throw new Error(`no valid workload: ${JSON.stringify(parsed)}`);
  return document.value;
}

describe("agentic init", () => {
  test("writes a valid workload of every pipeline that ships", async () => {
    const { pipelines } = await loadShipped();
    expect(pipelines.length).toBeGreaterThan(0);
    for (const shipped of pipelines)
      expect(await inputProblems(shipped.spec, specOf(startingWorkload(shipped, "mine")).spec.inputs)).toEqual([]);
  });

  test("has a value for each required input, and says what the others are", async () => {
    const text = startingWorkload(pipeline, "mine");
    const { metadata, spec } = specOf(text);
    expect([metadata.name, metadata.namespace, spec.pipeline]).toEqual(["mine", "tools", "audit"]);
    expect(await inputProblems(pipeline.spec, spec.inputs)).toEqual([]);
    expect(Object.keys(spec.inputs)).toEqual(["pages", "level"]);
    expect(text).toContain('# one of "A", "AA". How strict.');
    expect(text).toMatch(/# text\. For the report\.\n +# ?note: "TODO"/);
  });

  test("of a pipeline whose inputs are all optional has them as comments", () => {
    const schema = { type: "object", properties: { note: { type: "string" } } };
    const text = startingWorkload({ ...pipeline, spec: { ...pipeline.spec, inputs: { schema } } }, "mine");
    expect(specOf(text).spec.inputs).toEqual({});
    expect(specOf(text.replaceAll(/# ?(inputs:| *note:)/g, "$1")).spec.inputs).toEqual({ note: "TODO" });
  });

  test.each<[string, object]>([
    ["a text", { type: "string", minLength: 20 }],
    ["a short text", { type: "string", maxLength: 2 }],
    [
      "a list of different URLs",
      { type: "array", minItems: 4, uniqueItems: true, items: { type: "string", format: "uri" } },
    ],
    ["an object", { type: "object", required: ["url"], properties: { url: { type: "string", format: "uri" } } }],
    ["a number", { type: "integer", minimum: 7 }],
    ["a choice", { enum: ["x", "y"] }],
    ["an example", { type: "string", pattern: "^[A-Z]{3}$", examples: ["EUR"] }],
    ["a default", { type: "string", pattern: "^[A-Z]{3}$", default: "USD" }],
    ["a constant", { const: 3 }],
    ["a date", { type: "string", format: "date-time" }],
    ["yes or no", { type: "boolean" }],
  ])("%s gets a placeholder that the schema allows", async (_what, schema) => {
    expect(await validateBySchema({ ...schema }, placeholderOf({ ...schema }))).toEqual([]);
  });
});

test("agentic explain lists inputs, steps and the output", () => {
  expect(explanation(pipeline, "audit.yaml")).toBe(`audit
Audits things.

Inputs
  pages  list of URLs, at least 3
  level  one of "A", "AA". How strict.
  note   text (optional). For the report.

Steps
  audit  agent auditor; for each of inputs.pages
  check  a person decides; sees audit; within 2h; after audit; when steps.audit.failed > 0

Output: the artifacts of check
Start a workload: agentic init audit.yaml
`);
});
