import { describe, expect, test } from "vitest";
import { structureProblems } from "../../scripts/check-structure.ts";

/** The problems of a tree in which each file imports these. */
function problemsOf(tree: Readonly<Record<string, readonly string[] | string>>): string[] {
  const files = new Map<string, string>();
  const add = (file: string, text: string): void => void files.set(file, text);
  for (const [file, imports] of Object.entries(tree)) {
    const up = "../".repeat(file.split("/").length - 1) || "./";
    add(
      file,
      typeof imports === "string" ? imports : imports.map((to) => `import { a } from "${up}${to}";\n`).join(""),
    );
    if (typeof imports !== "string") for (const to of imports) if (!(to in tree)) add(to, "");
  }
  return structureProblems(files).map(({ file, line, message }) => `${file}:${line} ${message}`);
}

describe("layers", () => {
  test.each([
    ["engine/walk.ts", "crd/agent.ts"],
    ["lib/serve.ts", "engine/walk.ts"],
    ["lib/serve.ts", "crd/agent.ts"],
    ["functions/approve/index.ts", "lib/serve.ts"],
    ["functions/scrape/index.ts", "pipelines/market-analysis/capture.ts"],
    ["pipelines/market-analysis/capture.ts", "lib/model/model.ts"],
    ["pipelines/shipped.ts", "pipelines/market-analysis/capture.ts"],
    ["cli/agentic.ts", "functions/report/index.ts"],
    ["cli/agentic.ts", "compose.ts"],
    ["cli/agentic.ts", "pipelines/shipped.ts"],
    ["compose.ts", "functions/report/index.ts"],
    ["test/unit/a.test.ts", "pipelines/market-analysis/capture.ts"],
    ["bench/engine/main.ts", "examples/demo.ts"],
  ])("%s may import %s", (from, to) => expect(problemsOf({ [from]: [to] })).toEqual([]));

  test.each([
    ["crd/agent.ts", "engine/walk.ts", "crd must not depend on engine"],
    ["engine/walk.ts", "lib/errors.ts", "engine must not depend on lib"],
    ["lib/serve.ts", "functions/report/index.ts", "lib must not depend on functions/report"],
    ["lib/serve.ts", "pipelines/market-analysis/capture.ts", "lib must not depend on pipelines/market-analysis"],
    ["egress/main.ts", "functions/report/index.ts", "egress must not depend on functions/report"],
    ["agent/index.ts", "cli/agentic.ts", "agent must not depend on cli"],
    ["functions/report/index.ts", "functions/scrape/index.ts", "functions/report must not depend on functions/scrape"],
    [
      "functions/approve/index.ts",
      "pipelines/market-analysis/capture.ts",
      "functions/approve must not depend on pipelines/market-analysis",
    ],
    ["functions/report/index.ts", "compose.ts", "functions/report must not depend on the root"],
    ["cli/agentic.ts", "pipelines/market-analysis/capture.ts", "cli must not depend on pipelines/market-analysis"],
    ["cli/agentic.ts", "test/fakes/openai.ts", "cli must not depend on test"],
    [
      "pipelines/market-analysis/capture.ts",
      "functions/scrape/index.ts",
      "pipelines/market-analysis must not depend on functions/scrape",
    ],
  ])("%s must not import %s", (from, to, message) => {
    expect(problemsOf({ [from]: [to] })).toContain(`${from}:1 imports ${to}: ${message}`);
  });

  test("types, dynamic imports and imports over several lines count", () => {
    for (const text of [
      'import type { A } from "../functions/report/index.ts";',
      'const a = await import("../functions/report/index.ts");',
      'import "../functions/report/index.ts";',
      'import {\n  a,\n  b,\n} from "../functions/report/index.ts";',
      'export { a } from "../functions/report/index.ts";',
    ])
      expect(problemsOf({ "lib/a.ts": text, "functions/report/index.ts": "" })).toHaveLength(1);
  });
});

describe("cycles", () => {
  test("of files are told with the whole way round", () => {
    expect(problemsOf({ "lib/a.ts": ["lib/b.ts"], "lib/b.ts": ["lib/c.ts"], "lib/c.ts": ["lib/a.ts"] })).toEqual([
      "lib/c.ts:1 closes a cycle of files: lib/a.ts -> lib/b.ts -> lib/c.ts -> lib/a.ts",
    ]);
  });

  test("of folders are found where no files form one", () => {
    const tree = { "agent/a.ts": ["egress/b.ts"], "egress/c.ts": ["agent/d.ts"] };
    expect(problemsOf(tree)).toContain("egress/c.ts:1 closes a cycle of folders: agent -> egress -> agent");
  });

  test("are not seen where two paths meet", () => {
    expect(
      problemsOf({ "lib/a.ts": ["lib/b.ts", "lib/c.ts"], "lib/b.ts": ["lib/d.ts"], "lib/c.ts": ["lib/d.ts"] }),
    ).toEqual([]);
  });
});

describe("Argo", () => {
  const NAMES_ARGO = 'const group = "argoproj.io/v1alpha1";\n';

  test.each(["functions/reconcile/argo/render.ts", "lib/edges/kube.ts", "test/contract/argo.test.ts"])(
    "may be named in %s",
    (file) => expect(problemsOf({ [file]: NAMES_ARGO })).toEqual([]),
  );

  test.each(["functions/reconcile/workload/plan.ts", "lib/events.ts", "engine/run.ts", "cli/agentic.ts"])(
    "must not be named in %s",
    (file) => {
      const message = "names argoproj.io: only functions/reconcile/argo/ knows Argo's types";
      expect(problemsOf({ [file]: `\n${NAMES_ARGO}` })).toEqual([`${file}:2 ${message}`]);
    },
  );

  test("is wired at the root, and imported nowhere else", () => {
    const engine = "functions/reconcile/argo/engine.ts";
    expect(problemsOf({ "compose-reconcile.ts": [engine], "test/unit/a.test.ts": [engine] })).toEqual([]);
    expect(problemsOf({ "functions/reconcile/index.ts": [engine], "compose.ts": [engine] })).toEqual([
      `functions/reconcile/index.ts:1 imports ${engine}: use functions/reconcile/run-engine.ts, which hides Argo`,
      `compose.ts:1 imports ${engine}: use functions/reconcile/run-engine.ts, which hides Argo`,
    ]);
  });
});

describe("words of an application", () => {
  test.each([
    "crd/agent.ts",
    "engine/run.ts",
    "lib/serve.ts",
    "functions/reconcile/index.ts",
    "functions/approve/page.css",
    "cli/a.ts",
  ])("must not be in %s", (file) => {
    for (const text of ["the site", "Sites", "scraped", "a competitor", "market-analysis"])
      expect(problemsOf({ [file]: `// first\n// ${text}\n` })).toEqual([
        expect.stringMatching(`^${file}:2 says ".+": the core knows no application$`),
      ]);
  });

  test("are looked for as words, and in the core only", () => {
    expect(problemsOf({ "lib/serve.ts": "// opposite, SameSite, website, supermarket\n" })).toEqual([]);
    for (const file of ["functions/scrape/index.ts", "pipelines/shipped.ts", "crd/fixtures/valid/a.yaml", "docs/a.md"])
      expect(problemsOf({ [file]: "market of sites" })).toEqual([]);
  });
});
