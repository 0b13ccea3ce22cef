import type { Hono } from "hono";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { workloadSpecSchema } from "../../../crd/agentworkload.ts";
import { baseRunOf } from "../../../engine/run.ts";
import type { AdmitDeps } from "../../../functions/admit/deps.ts";
import { createApp } from "../../../functions/admit/index.ts";
import type { KindClient, KubeObject } from "../../../lib/edges/kube.ts";
import { type Accounts, NO_ACCOUNTS } from "../../../lib/quota/accounts.ts";
import { quotaIn } from "../../../lib/quota/limits.ts";
import type { QuotaUse } from "../../../lib/quota/quotas.ts";
import { INSTALLATION } from "../../../lib/quota/scope.ts";

// Asked as the API server asks.

const NOW = new Date("2026-11-30T00:00:00Z");
const API = "agentic.dev/v1alpha1";
const object = (kind: string, spec: object, metadata: object = {}) => ({
  apiVersion: API,
  kind,
  metadata: { namespace: "team-a", name: "demo", uid: "u-1", managedFields: [], ...metadata },
  spec,
});
const PIPELINE = object(
  "AgentPipeline",
  {
    inputs: { schema: { type: "object", required: ["urls"], properties: { urls: { type: "array" } } } },
    steps: [
      { name: "read", agent: "reader", forEach: "inputs.urls", with: ["model"] },
      { name: "ask", gate: {}, after: ["read"] },
      { name: "write", agent: "writer", after: ["ask"] },
    ],
  },
  { name: "reading" },
);
const AGENTS = ["reader", "writer"].map((name) => object("Agent", { image: "example.com/a:1" }, { name }));

interface Cluster {
  readonly objects?: readonly object[];
  readonly fails?: boolean;
  /** Of team-a. */
  readonly quota?: string;
  readonly accounts?: Accounts["workloads"];
  readonly installation?: Partial<QuotaUse>;
}

function createCluster({
  objects = [PIPELINE, ...AGENTS],
  fails = false,
  quota,
  accounts = {},
  installation = {},
}: Cluster): Hono {
  const client = (kind: string) =>
    ({
      get: async ({ namespace, name }) => {
        if (fails) throw new Error("the Kubernetes API: away");
        const all = objects as (KubeObject & { kind: string })[];
        return all.find(
          (one) => one.kind === kind && one.metadata.namespace === namespace && one.metadata.name === name,
        );
      },
    }) satisfies Partial<KindClient> as unknown as KindClient;
  const deps: AdmitDeps = {
    kube: {
      pipelines: client("AgentPipeline"),
      agents: client("Agent"),
      isNamespace: async (name) => ["team-a", "team-b", "agentic-system"].includes(name),
    },
    quotas: {
      read: async (scope) => {
        if (scope === INSTALLATION) return { accounts: NO_ACCOUNTS, quota: {}, ...installation };
        const own = await quotaIn(quota === undefined ? undefined : { "team-a": quota }, scope);
        return own && { quota: own, accounts: { month: "2026-11", spent: 0, workloads: accounts } };
      },
    },
    now: () => NOW,
    log: pino({ level: "silent" }),
    draining: new AbortController().signal,
  };
  return createApp(deps);
}

interface Answer {
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly warnings?: readonly string[];
}

async function ask(asked: object, cluster: Cluster = {}): Promise<Answer> {
  const request = { uid: "r-1", operation: "CREATE", object: asked };
  const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  const answer = await createCluster(cluster).request("/validate", { method: "POST", body });
  expect(answer.status).toBe(200);
  const { response, ...review } = (await answer.json()) as { response: Answer & { uid: string } };
  expect(review).toEqual({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" });
  expect(response.uid).toBe("r-1");
  return response;
}

const workload = (spec: object = {}, metadata: object = {}) =>
  object("AgentWorkload", { pipeline: "reading", inputs: { urls: ["https://a.example/"] }, ...spec }, metadata);

describe("an AgentWorkload in a namespace with a quota", () => {
  const working = {
    spent: 0,
    open: { name: "other", created: "2026-11-29T00:00:00Z", place: true, reserved: 8_000_000 },
  };
  const dollars = 'maxUsdPerMonth: "10"';
  const budget = (maxUsd: string) => ({ budget: { maxUsd } });

  test.each<[string, object, Cluster]>([
    ["that has room", budget("2"), { quota: dollars, accounts: { u: working } }],
    ["that has a place", {}, { quota: "maxRunning: 2", accounts: { u: working } }],
    ["but suspended", { suspend: true }, { quota: dollars }],
    [
      "where it works",
      {},
      { quota: "maxRunning: 1", accounts: { u: { ...working, open: { ...working.open, name: "demo" } } } },
    ],
    [
      "where it waits for a person",
      {},
      {
        quota: "maxRunning: 1",
        accounts: { u: working, v: { ...working, open: { ...working.open, name: "demo", place: false } } },
      },
    ],
  ])("%s is taken without a word", async (_what, spec, cluster) => {
    expect(await ask(workload(spec), cluster)).toEqual({ uid: "r-1", allowed: true });
  });

  test.each<[string, object, Cluster, string]>([
    [
      "waits for a place",
      {},
      { quota: "maxRunning: 1", accounts: { u: working } },
      "will wait: Namespace team-a runs 1 of 1 workloads;",
    ],
    [
      "waits for dollars",
      budget("3"),
      { quota: dollars, accounts: { u: working } },
      "will wait: Namespace team-a has $10 for 2026-11: $0 is spent, $8 is set aside",
    ],
    ["waits for its administrator", {}, { quota: "many" }, "will wait: the key team-a of ConfigMap"],
  ])("that %s is taken, with a warning", async (_what, spec, cluster, warning) => {
    expect(await ask(workload(spec), cluster)).toMatchObject({
      allowed: true,
      warnings: [expect.stringContaining(warning)],
    });
  });

  test.each<[string, object, string]>([
    ["has no budget", {}, "Namespace team-a has $10 a month: set spec.budget.maxUsd"],
    [
      "fits into no month",
      budget("10.01"),
      "spec.budget.maxUsd of $10.01 is more than the $10 a month of namespace team-a",
    ],
  ])("that %s is refused", async (_what, spec, message) => {
    const { allowed, status } = await ask(workload(spec), { quota: dollars });
    expect([allowed, status?.message]).toEqual([false, expect.stringContaining(message)]);
  });

  test("is told what else is wrong in the same answer", async () => {
    const { status } = await ask(workload({ inputs: {} }), { quota: dollars });
    expect(status?.message).toMatch(/urls[\s\S]*set spec.budget.maxUsd/);
  });
});

describe("an AgentWorkload in an installation with limits", () => {
  const closed = { reason: "LicenceExpired", message: "The licence of ACME (plan team) expired on 2026-11-01" };
  const urls = ["https://a.example/", "https://b.example/"];
  const spec = { pipeline: "reading", inputs: { urls } };
  const run = { namespace: "team-a", id: baseRunOf("u", workloadSpecSchema.parse(spec)) };
  const open = { name: "demo", created: "2026-11-29T00:00:00Z", place: true, reserved: 2, run };
  const others = {
    name: "other",
    created: open.created,
    place: true,
    reserved: 2,
    run: { namespace: "team-b", id: "x" },
  };
  const accounts = (one: typeof open): Accounts => ({
    month: "2026-11",
    spent: 7,
    workloads: { u: { spent: 0, open: one } },
  });

  test.each<[string, object, Partial<QuotaUse>]>([
    [
      "that has room",
      {},
      {
        quota: { maxPerMonth: 9, maxRunning: 1, maxNamespaces: 1 },
        accounts: { ...NO_ACCOUNTS, month: "2026-11", spent: 7 },
      },
    ],
    ["but suspended", { suspend: true }, { quota: { closed }, notice: closed }],
    [
      "where its run has begun, whose terms are other ones now",
      { replicas: 3 },
      { quota: { closed, maxRunning: 0 }, accounts: accounts(open) },
    ],
    ["where it is at its gate", {}, { quota: { maxRunning: 0 }, accounts: accounts({ ...open, place: false }) }],
  ])("%s is taken without a word", async (_what, over, installation) => {
    expect(await ask(workload({ ...spec, ...over }), { installation })).toEqual({ uid: "r-1", allowed: true });
  });

  test.each<[string, object, Partial<QuotaUse>, string]>([
    [
      "cannot start under an expired licence",
      {},
      { quota: { closed }, notice: closed },
      "will wait: The licence of ACME",
    ],
    [
      "asks for another run then",
      { inputs: { urls: ["https://c.example/"] } },
      { quota: { closed }, notice: closed, accounts: accounts(open) },
      "will wait: The licence of ACME",
    ],
    [
      "waits for a place",
      {},
      { quota: { maxRunning: 1 }, accounts: accounts(others) },
      "will wait: This installation runs 1 of the 1 workloads",
    ],
    [
      "waits for a place as one of its name does elsewhere",
      {},
      { quota: { maxRunning: 1 }, accounts: accounts({ ...others, name: "demo" }) },
      "will wait: This installation runs",
    ],
    [
      "has more items than the month has left",
      {},
      { quota: { maxPerMonth: 8 }, accounts: { ...NO_ACCOUNTS, month: "2026-11", spent: 7 } },
      "will wait: This installation has 8 items for 2026-11: 7 are counted, 0 are those of runs under way, and this run has 2",
    ],
    [
      "runs under a licence that ends soon",
      {},
      { notice: { reason: "LicenceEndsSoon", message: "ends soon" } },
      "ends soon",
    ],
  ])("that %s is taken, with one warning", async (_what, over, installation, warning) => {
    const { allowed, warnings } = await ask(workload({ ...spec, ...over }), { installation });
    expect([allowed, warnings]).toEqual([true, [expect.stringContaining(warning)]]);
  });

  test("that waits and has a licence that ends soon is told both", async () => {
    const notice = { reason: "LicenceEndsSoon", message: "ends soon" };
    const { warnings } = await ask(workload(spec), { installation: { quota: { maxRunning: 0 }, notice } });
    expect(warnings).toEqual([expect.stringContaining("will wait"), "ends soon"]);
  });
});

describe("an AgentSchedule", () => {
  const schedule = (spec: object, template: object = {}, metadata: object = {}) =>
    object(
      "AgentSchedule",
      {
        schedule: "0 6 * * 1",
        workloadTemplate: { spec: { pipeline: "reading", inputs: { urls: ["https://a.example/"] }, ...template } },
        ...spec,
      },
      metadata,
    );

  test("that is right is taken without a word", async () => {
    expect(await ask(schedule({}))).toEqual({ uid: "r-1", allowed: true });
  });

  test("every problem of it and of its template is said at once, and where", async () => {
    const { status } = await ask(schedule({ timeZone: "x" }, { inputs: { urls: ["http://10.0.0.1/"] }, replicas: 0 }));
    expect(status?.message).toMatch(
      /spec\.workloadTemplate\.spec\.replicas.*spec\.timeZone expected an IANA.*spec\.workloadTemplate\.spec\.inputs\.urls\[0\] 10\.0\.0\.1/s,
    );
  });

  test("is warned of what its workloads would be", async () => {
    const { warnings } = await ask(schedule({}, { model: { name: "gpt-4.1-nano" } }));
    expect(warnings).toEqual([expect.stringMatching(/^spec\.workloadTemplate\.spec\.model: gpt-4\.1-nano ended/)]);
  });

  test("a quota that its workloads never fit into is a problem; one that is full now says nothing of them", async () => {
    const never = await ask(schedule({}), { quota: "maxUsdPerMonth: '1'" });
    expect(never.status?.message).toContain("budget");
    expect(await ask(schedule({}), { quota: "maxRunning: 0" })).toEqual({ uid: "r-1", allowed: true });
  });

  test("with an image its name has room for the time", async () => {
    const image = { pipeline: undefined, image: "example.com/a:1", inputs: { items: ["a"] } };
    expect(await ask(schedule({}, image, { name: "a".repeat(31) }))).toMatchObject({ allowed: true });
    expect((await ask(schedule({}, image, { name: "a".repeat(32) }))).status?.message).toContain("metadata.name");
  });
});

describe("an AgentWorkload", () => {
  test("that is right is taken without a word", async () => {
    expect(await ask(workload())).toEqual({ uid: "r-1", allowed: true });
  });

  test("what is wrong with its form hides nothing else", async () => {
    const { status } = await ask(workload({ replicas: 0, inputs: { urls: ["http://10.0.0.7/"] } }));
    expect(status?.message).toMatch(/spec\.replicas.*spec\.inputs\.urls\[0\] 10\.0\.0\.7 is a private address/s);
  });

  test("every problem is said at once, and where", async () => {
    const urls = ["http://10.0.0.1/", "https://b.example/", "https://b.example/"];
    const { allowed, status } = await ask(workload({ inputs: { urls } }));
    expect(allowed).toBe(false);
    expect(status).toMatchObject({ code: 422, reason: "Invalid" });
    expect(status?.message).toBe(
      "\nspec.inputs.urls[0] 10.0.0.1 is a private address: only public hosts are allowed\nspec.inputs.urls[2] is the same as inputs.urls[1]",
    );
  });

  test.each<[string, object, RegExp]>([
    ["an input that the pipeline's schema wants", workload({ inputs: {} }), /spec\.inputs\.urls is missing/],
    ["an input of another type", workload({ inputs: { urls: "a" } }), /spec\.inputs\.urls /],
    ["a field that there is none of", workload({ replica: 3 }), /spec\.replica .*replicas/],
    ["a value out of bounds", workload({ replicas: 0 }), /spec\.replicas /],
    ["no pipeline, where there is no default", workload({ pipeline: undefined }), /name a pipeline/],
    ["a name that Argo has no room for", workload({}, { name: "a".repeat(53) }), /metadata\.name expected at most 52/],
    ["a password in an address", workload({ inputs: { urls: ["https://a:b@c.example/"] } }), /must not carry/],
  ])("%s", async (_, asked, said) => {
    const { allowed, status } = await ask(asked);
    expect([allowed, status?.message]).toEqual([false, expect.stringMatching(said)]);
  });

  test("with generateName", async () => {
    expect(await ask(workload({}, { name: undefined, generateName: "demo-" }))).toMatchObject({ allowed: true });
  });

  test("with an image, whose Agent is made for it", async () => {
    const asked = object("AgentWorkload", { image: "example.com/a:1", inputs: { items: ["a"] } });
    expect(await ask(asked, { objects: [] })).toEqual({ uid: "r-1", allowed: true });
  });

  test("objects may be applied in any order", async () => {
    const early = await ask(workload(), { objects: [] });
    expect(early).toMatchObject({
      allowed: true,
      warnings: [expect.stringMatching(/no AgentPipeline reading in team-a/)],
    });
    const between = await ask(workload(), { objects: [PIPELINE] });
    const waits = (name: string) => `there is no Agent ${name} in team-a or agentic-system yet: runs wait for it`;
    expect(between).toMatchObject({ allowed: true, warnings: [waits("reader"), waits("writer")] });
  });

  test.each<[string, object, RegExp]>([
    ["a model that has ended", { model: { name: "gpt-4.1-nano" } }, /gpt-4\.1-nano ended on 2026-10-23/],
    ["a model that soon ends", { model: { fallbacks: ["gpt-5-nano"] } }, /gpt-5-nano ends on 2026-12-11/],
    ["a budget below one question", { budget: { maxUsd: "0.0001" } }, /is less than one question .* may cost/],
    [
      "a deadline before the gate's",
      { deadlines: { run: "1h" } },
      /ends the run before the gate ask has waited its 24h/,
    ],
  ])("is warned of %s", async (_, spec, said) => {
    expect(await ask(workload(spec))).toMatchObject({ allowed: true, warnings: [expect.stringMatching(said)] });
  });

  test.each<[string, object]>([
    ["a model that ends later", { model: { fallbacks: ["gpt-4o-mini"] } }],
    ["a budget of one question", { budget: { maxUsd: "0.01" } }],
    ["a deadline beyond the gate's", { deadlines: { run: "25h" } }],
    ["a gate that asks nobody", { deadlines: { run: "1h" }, review: { required: false } }],
  ])("is not warned of %s", async (_, spec) => {
    expect(await ask(workload(spec))).toEqual({ uid: "r-1", allowed: true });
  });
});

describe("an AgentPipeline", () => {
  test("with a cycle and an unknown name", async () => {
    const steps = [
      { name: "one", agent: "reader", after: ["two"] },
      { name: "two", agent: "reader", after: ["one", "three"] },
    ];
    const { allowed, status } = await ask(object("AgentPipeline", { steps }));
    expect(allowed).toBe(false);
    expect(status?.message).toMatch(/spec\.steps\[1\]\.after.*three/);
    expect(status?.message).toMatch(/cycle/);
  });

  test("whose agents are missing", async () => {
    expect(await ask(PIPELINE, { objects: AGENTS.slice(1) })).toMatchObject({
      allowed: true,
      warnings: [expect.stringMatching(/no Agent reader/)],
    });
  });
});

describe("an Agent", () => {
  test.each<[string, object, RegExp]>([
    ["two that do", { image: "example.com/a:1", uri: "https://a.example/" }, /exactly one of service, uri and image/],
    ["an address of the cluster", { uri: "http://redis.agentic-system/" }, /spec\.uri .* is private/],
    ["no JSON Schema", { image: "example.com/a:1", output: { schema: { type: "objekt" } } }, /spec\.output\.schema/],
  ])("%s", async (_, spec, said) => {
    const { allowed, status } = await ask(object("Agent", spec));
    expect([allowed, status?.message]).toEqual([false, expect.stringMatching(said)]);
  });

  test("its status is reconcile's", async () => {
    expect(await ask({ ...AGENTS[0], status: { anything: true } })).toMatchObject({ allowed: true });
  });
});

describe("what cannot be judged", () => {
  test("where the API server does not answer: failurePolicy decides", async () => {
    const request = { uid: "r-1", operation: "CREATE", object: workload() };
    const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
    expect((await createCluster({ fails: true }).request("/validate", { method: "POST", body })).status).toBe(500);
  });

  test.each([
    ["", 400],
    ["{}", 400],
    ['{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"a","operation":"DELETE"}}', 400],
    ["x".repeat(5 * 1024 * 1024), 413],
  ])("%.20s", async (body, status) => {
    const headers = { "content-length": String(body.length) };
    expect((await createCluster({}).request("/validate", { method: "POST", body, headers })).status).toBe(status);
  });

  test("of a thousand problems the first fifty are said", async () => {
    const urls = Array.from({ length: 400 }, () => "http://10.0.0.1/");
    const { status } = await ask(workload({ inputs: { urls } }));
    expect(status?.message.split("\n")).toHaveLength(52);
    expect(status?.message).toMatch(/and \d+ more$/);
  });
});
