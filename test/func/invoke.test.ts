import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startSampleSites } from "../../examples/serve.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { startChromium } from "../../lib/edges/chromium.ts";
import { BUILD_MS } from "../cluster/built.ts";
import { startRedis } from "../redis-server.ts";
import { output, ROOT } from "./command.ts";
import { type Func, findFunc } from "./func.ts";
import { makeSigningKeys } from "./keys.ts";
import { type Served, serveFunction } from "./served.ts";

// The functions, each a process as `FUNCTION=name npm start` makes it, and `func invoke` in this checkout: what docs/func.md shows.

const SITE = "http://www.rosterly.example/";
/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:1";
const WORKLOAD = `apiVersion: agentic.dev/v1alpha1
kind: AgentWorkload
metadata:
  name: by-hand
spec:
  pipeline: market-analysis
  inputs:
    objective: How should a newcomer price a shift-planning product?
    sites: [${SITE}]
`;

const folder = await mkdtemp(join(tmpdir(), "agentic-func-"));
const started: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
afterAll(async () => {
  for (const end of started.reverse()) await end();
});
let func: Func;
beforeAll(async () => {
  func = await findFunc(folder);
}, BUILD_MS);

let settings: Record<string, string>;
let keyFile: string;
beforeAll(async () => {
  await writeFile(join(folder, "by-hand.yaml"), WORKLOAD);
  const keys = await makeSigningKeys(folder);
  keyFile = keys.file;
  const redis = await startRedis();
  started.push(redis.stop);
  const sites = await startSampleSites();
  started.push(sites.close);
  const chromium = await startChromium();
  started.push(chromium.stop);
  settings = {
    REDIS_URL: redis.url,
    ARTIFACTS_URL: `file://${join(folder, "artifacts")}`,
    STEP_TOKEN_PUBLIC_KEY: keys.publicPem,
    REVIEW_LINK_PUBLIC_KEY: keys.publicPem,
    BROWSER_URL: await chromium.endpoint(),
  };
  const egress = await serve("egress", { EGRESS_RESOLVE: `www.rosterly.example=127.0.0.1:${sites.port}` });
  settings["EGRESS_PROXY_URL"] = egress.url;
});

async function serve(name: string, more: Record<string, string> = {}): Promise<Served> {
  const served = await serveFunction(name, { ...settings, ...more });
  started.push(served.end);
  return served;
}

/** `func invoke --target URL $(node examples/step-event.ts …)`. @returns what func printed */
async function invoke(target: string, ...step: string[]): Promise<string> {
  const file = join(folder, "step-event.json");
  const script = join(ROOT, "examples/step-event.ts");
  const options = { cwd: folder, env: settings };
  const args = await output("node", [script, "by-hand.yaml", ...step, "--key", keyFile, "--file", file], options);
  const { code, stdout, stderr } = await func(ROOT, "invoke", "--target", target, ...args.trim().split(" "));
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

/** The event that func prints: its attributes as text, then its data. */
function dataOf(printed: string): { outcome: string; output: string; artifacts: Record<string, string> } {
  return JSON.parse(printed.slice(printed.indexOf("Data,") + "Data,".length));
}

describe.sequential("an AgentWorkload, step by step by func invoke", () => {
  test("a step's event is made only after the steps before it", async () => {
    await expect(invoke(NOWHERE, "analyze", SITE)).rejects.toThrow(/scrape has not succeeded/);
  });

  test.each([
    ["scrape", [SITE], /^200 Rosterly/],
    ["analyze", [SITE], /^Rosterly: \d+ offers/],
  ])("%s does its step, and answers the same again", async (name, item, summary) => {
    const { url } = await serve(name);
    const printed = await invoke(url, name, ...item);
    expect(printed).toContain("type: dev.agentic.step.completed");
    expect(dataOf(printed)).toMatchObject({ outcome: "succeeded", output: expect.stringMatching(summary) });
    expect(await invoke(url, name, ...item)).toBe(printed);
  });

  test("approve accepts the decision", async () => {
    const { url, said } = await serve("approve");
    // A Broker wants an empty answer, so func prints nothing.
    expect(await invoke(url, "review")).toBe("");
    expect(said()).toContain('"agentic.outcome":"approved"');
  });

  test("report writes the report", async () => {
    const { url } = await serve("report");
    const printed = await invoke(url, "report");
    const { outcome, artifacts } = dataOf(printed);
    expect([outcome, Object.keys(artifacts)]).toEqual(["succeeded", expect.arrayContaining(["html", "pdf"])]);
    const key: string = artifacts["html"] ?? "";
    const [namespace = "", uid = ""] = key.split("/");
    const html = await createFolderArtifacts(join(folder, "artifacts")).get({ namespace, uid }, key);
    expect(Buffer.from(html).toString()).toContain("Rosterly");
    expect(await invoke(url, "report")).toBe(printed);
  });
});

describe("what is refused", () => {
  test("reconcile logs why: another type is not for it, and without a cluster's API it wants the event again", async () => {
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, KUBECONFIG);
    const { privatePem } = await makeSigningKeys(folder);
    const { url, said } = await serve("reconcile", {
      KUBECONFIG: kubeconfig,
      BROKER_URL: "http://127.0.0.1:1",
      STEP_TOKEN_PRIVATE_KEY: privatePem,
      REVIEW_LINK_PRIVATE_KEY: privatePem,
    });
    const event = ["--format", "cloudevent", "--type", "com.example.other"];
    const { stdout } = await func(ROOT, "invoke", "--target", url, ...event);
    expect(stdout).toBe("");
    expect(said()).toMatch(/"reason":"NotForReconcile","status":400/);
    const changed = ["--format", "cloudevent", "--type", "dev.knative.apiserver.ref.update"];
    const about = '{"kind":"AgentWorkload","namespace":"default","name":"by-hand"}';
    await func(ROOT, "invoke", "--target", url, ...changed, "--data", about);
    expect(said()).toMatch(/"reason":"ApiUnavailable","status":503/);
  });

  test("the event of a step is made for an item of the workload", async () => {
    await expect(invoke(NOWHERE, "scrape", "http://elsewhere.example/")).rejects.toThrow(/scrape runs for an item/);
  });
});

const KUBECONFIG = `apiVersion: v1
kind: Config
clusters: [{ name: none, cluster: { server: "http://127.0.0.1:1" } }]
contexts: [{ name: none, context: { cluster: none, user: nobody } }]
users: [{ name: nobody, user: {} }]
current-context: none
`;
