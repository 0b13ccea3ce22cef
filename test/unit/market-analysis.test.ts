import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { agentSchema } from "../../crd/agent.ts";
import { agentPipelineSchema } from "../../crd/agentpipeline.ts";
import { agentScheduleSchema, workloadOfTemplate } from "../../crd/agentschedule.ts";
import { agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { inputProblems, pipelineProblems } from "../../engine/check.ts";
import { agentNames, SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { schemaProblem } from "../../engine/json-schema.ts";
import { stagesOf } from "../../engine/stages.ts";
import { fact } from "../../pipelines/market-analysis/summary.ts";

test.each<[value: string, told: string]>([
  ["x".repeat(1000), "x".repeat(1000)],
  ["x".repeat(1001), `${"x".repeat(999)}…`],
  // 😀 is two characters of a string; half of it has no canonical JSON.
  [`${"x".repeat(998)}😀😀`, `${"x".repeat(998)}\ufffd…`],
])("a fact fits into a summary", (value, told) => {
  expect(fact("Offers", value)).toEqual({ label: "Offers", value: told });
});

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const pipeline = agentPipelineSchema.parse(parse(read("pipelines/market-analysis/pipeline.yaml")));
const agents = parseAllDocuments(read("pipelines/market-analysis/agents.yaml")).map((document) =>
  agentSchema.parse(document.toJS()),
);

describe("the pipeline", () => {
  test("is valid, shared, and its agents are there", async () => {
    expect(await pipelineProblems(pipeline.spec)).toEqual([]);
    expect(pipeline.metadata.namespace).toBe(SHARED_NAMESPACE);
    expect(agents.map(({ metadata }) => metadata.name)).toEqual(agentNames(pipeline));
    for (const { metadata, spec } of agents) {
      expect(metadata.namespace).toBe(SHARED_NAMESPACE);
      expect(spec.env?.find(({ name }) => name === "FUNCTION")?.value).toBe(metadata.name);
      if (spec.output) expect(await schemaProblem(spec.output.schema)).toBeUndefined();
    }
  });

  test("captures and analyzes site by site, then the further pages of all, then waits for the review", () => {
    expect(stagesOf(pipeline.spec.steps)).toMatchObject([
      { steps: [{ name: "scrape" }, { name: "analyze" }], forEach: "inputs.sites", after: [] },
      {
        steps: [{ name: "scrape-pages" }, { name: "analyze-pages" }],
        forEach: "steps.scrape.items",
        after: ["scrape"],
      },
      { steps: [{ name: "review" }], after: ["scrape", "scrape-pages"] },
      { steps: [{ name: "report" }], after: ["review"] },
    ]);
  });

  test.each(["market-analysis", "market-analysis-50"])("takes the inputs of examples/%s.yaml", async (name) => {
    const { spec } = agentWorkloadSchema.parse(parse(read(`examples/${name}.yaml`)));
    expect(spec.pipeline).toBe(pipeline.metadata.name);
    expect(await inputProblems(pipeline.spec, spec.inputs)).toEqual([]);
  });

  test("takes the inputs of examples/market-analysis-weekly.yaml", async () => {
    const { spec } = workloadOfTemplate(agentScheduleSchema.parse(parse(read("examples/market-analysis-weekly.yaml"))));
    expect(spec.pipeline).toBe(pipeline.metadata.name);
    expect(await inputProblems(pipeline.spec, spec.inputs)).toEqual([]);
  });

  const objective = "What do they cost?";
  const site = "https://shop.example/";
  test.each<[what: string, inputs: Record<string, unknown>, path: (string | number)[]]>([
    ["no objective", { sites: [site] }, ["inputs", "objective"]],
    ["an empty objective", { objective: "", sites: [site] }, ["inputs", "objective"]],
    ["an objective of 4001 characters", { objective: "x".repeat(4001), sites: [site] }, ["inputs", "objective"]],
    ["no sites", { objective }, ["inputs", "sites"]],
    ["an empty list of sites", { objective, sites: [] }, ["inputs", "sites"]],
    ["501 sites", { objective, sites: Array.from({ length: 501 }, (_, n) => `${site}${n}`) }, ["inputs", "sites"]],
    ["a site twice", { objective, sites: [site, site] }, ["inputs", "sites"]],
    ["a site without a scheme", { objective, sites: ["shop.example"] }, ["inputs", "sites", 0]],
    ["a site by ftp", { objective, sites: [site, "ftp://shop.example/"] }, ["inputs", "sites", 1]],
    ["a site with a login", { objective, sites: ["https://user:password@shop.example/"] }, ["inputs", "sites", 0]],
    ["an object as a site", { objective, sites: [{ url: site }] }, ["inputs", "sites", 0]],
    ["no page of a site", { objective, sites: [site], pagesPerSite: 0 }, ["inputs", "pagesPerSite"]],
    ["21 pages of a site", { objective, sites: [site], pagesPerSite: 21 }, ["inputs", "pagesPerSite"]],
    [
      "a pace of no second",
      { objective, sites: [site], settings: [{ site, pace: 0 }] },
      ["inputs", "settings", 0, "pace"],
    ],
    [
      "another setting",
      { objective, sites: [site], settings: [{ site, proxy: "x" }] },
      ["inputs", "settings", 0, "proxy"],
    ],
    ["another input", { objective, sites: [site], site }, ["inputs", "site"]],
  ])("refuses %s", async (_what, inputs, path) => {
    const problems = await inputProblems(pipeline.spec, inputs);
    expect(problems.map((problem) => problem.path)).toContainEqual(path);
  });

  test.each(["https://shop.example", "http://shop.example:8080?x=@", "https://shop.example/@user"])(
    "takes the site %s",
    async (url) => {
      expect(await inputProblems(pipeline.spec, { objective, sites: [url] })).toEqual([]);
    },
  );
});
