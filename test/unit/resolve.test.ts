import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDocuments } from "../../cli/documents.ts";
import { type ResolvedWorkload, resolveWorkload } from "../../cli/resolve.ts";
import { formatProblems } from "../../crd/parse.ts";
import { loadShipped } from "../../pipelines/shipped.ts";

const WORKLOAD = `apiVersion: agentic.dev/v1alpha1
kind: AgentWorkload
metadata: { name: demo }
spec:
  pipeline: audit
  inputs: { pages: [https://www.example.com/] }
`;
const PIPELINE = `apiVersion: agentic.dev/v1alpha1
kind: AgentPipeline
metadata: { name: audit }
spec:
  inputs: { schema: { type: object, required: [pages], properties: { pages: { type: array } } } }
  steps:
    - { name: audit, agent: auditor, forEach: inputs.pages }
`;
const AGENT = `apiVersion: agentic.dev/v1alpha1
kind: Agent
metadata: { name: auditor }
spec: { image: example.com/auditor:1 }
`;
const SHIPPED = WORKLOAD.replace("audit", "market-analysis").replace(
  "{ pages: [https://www.example.com/] }",
  "{ objective: who?, sites: [https://www.example.com/] }",
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-resolve-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Resolves the documents as `agentic run` does. @returns the problems as text, else the workload */
async function resolve(
  documents: readonly string[],
  addresses: Record<string, string> = {},
): Promise<string | ResolvedWorkload> {
  const files = await Promise.all(
    documents.map(async (text, at) => {
      const file = join(folder, `${at}.yaml`);
      await writeFile(file, text);
      return file;
    }),
  );
  const read = await readDocuments(files);
  const [workload] = read.workloads;
  if (read.problems.length > 0 || !workload) return formatProblems(read.problems).replaceAll(`${folder}/`, "");
  const resolved = await resolveWorkload(workload, {
    documents: read,
    shipped: await loadShipped(),
    addresses: new Map(Object.entries(addresses)),
    allowPrivateHosts: new Set(),
  });
  return "problems" in resolved ? formatProblems(resolved.problems).replaceAll(`${folder}/`, "") : resolved;
}

async function served(documents: readonly string[], addresses?: Record<string, string>): Promise<ResolvedWorkload> {
  const resolved = await resolve(documents, addresses);
  if (typeof resolved === "string") throw new Error(resolved);
  return resolved;
}

const AUDITOR = { auditor: "http://127.0.0.1:8080/" };

describe("a workload on one machine", () => {
  test("has the given pipeline and agents, at the address that --agent names", async () => {
    const { run, served: by } = await served([WORKLOAD, PIPELINE, AGENT], AUDITOR);
    expect(run.pipeline).toMatchObject({ namespace: "default", name: "audit" });
    expect([...by]).toEqual([["auditor", { url: "http://127.0.0.1:8080/" }]]);
  });

  test("has a pipeline that ships, whose agents run in this process", async () => {
    const { run, served: by } = await served([SHIPPED]);
    expect(run.pipeline).toMatchObject({ namespace: "agentic-system", name: "market-analysis" });
    expect([...by.values()]).toEqual(["scrape", "analyze", "report"].map((name) => ({ function: name })));
  });

  test("takes the default pipeline when it names none", async () => {
    const { run } = await served([SHIPPED.replace("  pipeline: market-analysis\n", "")]);
    expect(run.pipeline.name).toBe("market-analysis");
  });

  test("sends an agent that ships to an address, too", async () => {
    const { served: by } = await served([SHIPPED], { scrape: "http://127.0.0.1:9/" });
    expect(by.get("scrape")).toEqual({ url: "http://127.0.0.1:9/" });
    expect(by.get("report")).toEqual({ function: "report" });
  });

  test("runs by image for each of inputs.items, where the image is started by hand", async () => {
    const image = WORKLOAD.replace("pipeline: audit", "image: example.com/x:1").replace("pages", "items");
    expect(await resolve([image])).toContain("needs agent demo (image example.com/x:1)");
    const { run } = await served([image], { demo: "http://127.0.0.1:8080/" });
    expect(run.stages.map(({ forEach }) => forEach)).toEqual(["inputs.items"]);
  });

  test("sends an Agent with a uri there", async () => {
    const { served: by } = await served([WORKLOAD, PIPELINE, AGENT.replace(/image: .*1/, "uri: http://127.0.0.1:7/x")]);
    expect(by.get("auditor")).toEqual({ url: "http://127.0.0.1:7/x" });
  });

  test("needs no document of an agent that --agent names", async () => {
    expect((await served([WORKLOAD, PIPELINE], AUDITOR)).served.get("auditor")).toEqual({ url: AUDITOR.auditor });
  });

  test("is another run when the agent's spec changes", async () => {
    const one = await served([WORKLOAD, PIPELINE, AGENT], AUDITOR);
    const two = await served([WORKLOAD, PIPELINE, AGENT.replace("auditor:1", "auditor:2")], AUDITOR);
    const revisions = [one, two].map(({ run }) => run.pipeline.agents["auditor"]?.revision);
    expect(revisions[0]).not.toBe(revisions[1]);
  });

  test.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ["no such pipeline", [WORKLOAD], {}, /^0\.yaml:5:3 spec\.pipeline is audit, but .*ships \(market-analysis\)/],
    [
      "an agent without a document",
      [WORKLOAD, PIPELINE],
      {},
      /needs agent auditor, which is not in .*--agent auditor=URL/,
    ],
    [
      "an agent by image",
      [WORKLOAD, PIPELINE, AGENT],
      {},
      /auditor \(image example\.com\/auditor:1\), .*--agent auditor=URL/,
    ],
    ["an address of no agent", [WORKLOAD, PIPELINE], { ...AUDITOR, audtor: "http://x/" }, /no agent audtor, .*auditor/],
    [
      "inputs that do not match the schema, and what else is wrong",
      [WORKLOAD.replace("pages: [https://www.example.com/]", "page: 3"), PIPELINE],
      {},
      /^0\.yaml:6:3 spec\.inputs\.pages is missing\n.*needs agent auditor/,
    ],
    [
      "a private host",
      [WORKLOAD.replace("www.example.com", "10.0.0.1"), PIPELINE],
      AUDITOR,
      /0\.yaml:6:\d+ spec\.inputs\.pages\[0\] 10\.0\.0\.1 is /,
    ],
    [
      "an invalid pipeline and an invalid output schema, in two files",
      [
        WORKLOAD,
        PIPELINE.replace("inputs.pages }", "inputs.page }"),
        AGENT.replace("1 }", "1, output: { schema: { type: 3 } } }"),
      ],
      {},
      /1\.yaml:7:38 spec\.steps\[0\]\.forEach inputs\.page is not.*\n2\.yaml:4:49 spec\.output\.schema is no usable/,
    ],
    ["two documents of one name", [WORKLOAD, PIPELINE, PIPELINE], {}, /2\.yaml:3:\d+ .*already defined at .*1\.yaml:3/],
  ])("says what is wrong: %s", async (_what, documents, addresses, message) => {
    expect(await resolve(documents, addresses)).toMatch(message);
  });

  test("a file that cannot be read is a problem with its name", async () => {
    const { problems } = await readDocuments([join(folder, "nowhere.yaml")]);
    expect(formatProblems(problems)).toMatch(/nowhere\.yaml:1:1 cannot be read: ENOENT/);
  });
});
