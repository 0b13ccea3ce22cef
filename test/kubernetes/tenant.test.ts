import { Redis } from "ioredis";
import { beforeAll, describe, expect, test } from "vitest";
import { AGENT_LABEL } from "../../functions/reconcile/agent/render.ts";
import { NONSENSE } from "../cluster/support/nonsense.ts";
import { sendRaw } from "../s3-request.ts";
import { createAgents, deleteAgent, untilReady } from "./agents.ts";
import { apply, get, kubectl, list, until } from "./cluster.ts";
import { TENANT } from "./namespaces.ts";
import { forwardPort } from "./port-forward.ts";
import {
  agent,
  executionKey,
  executionsOf,
  NO_IMAGE,
  pipeline,
  run,
  strings,
  supportImage,
  testAgent,
} from "./tenant.ts";
import {
  condition,
  decide,
  reviewOf,
  SYSTEM,
  stepOf,
  untilPhase,
  untilSaid,
  workflowOf,
  workload,
} from "./workload.ts";

// Whoever may edit a namespace brings agents and pipelines of their own.

const properties = { topics: strings, returns: { type: "integer" }, missing: { type: "integer" } };
const inputs = { schema: { type: "object", properties } };

/** Each topic returns items; what becomes of these is a step of its own. */
const find = { name: "find", agent: "worker", forEach: "inputs.topics", with: ["returns"] };
const read = { name: "read", agent: "worker", forEach: "steps.find.items", after: ["find"] };

/** A request that is not answered is delivered again for minutes; the step's deadline comes first. */
const NONSENSE_S = 5;
const nonsenseRun = (nonsense: string) => `nonsense-${nonsense.toLowerCase()}`;

/** By a digest Knative has nothing to look up: only the kubelet finds that it is not there. */
const BY_DIGEST = `localhost:1/none@sha256:${"0".repeat(64)}`;

beforeAll(async () => {
  const image = await supportImage();
  await createAgents(
    await testAgent("worker"),
    await testAgent("leaving"),
    agent("nonsense", { image, env: [{ name: "ROLE", value: "nonsense" }] }),
  );
});

const untilReviewed = (name: string, gate: string) =>
  until(`the review ${gate} of ${name}`, async () => {
    const object = await workload(TENANT, name);
    return object && reviewOf(object, gate) ? object : undefined;
  });

describe.concurrent("pipelines of a tenant's own", () => {
  test("two fan-outs and two gates, as the run froze them, over an agent by image", async () => {
    const name = "two-gates";
    const steps = [
      find,
      { name: "first", gate: {}, after: ["find"] },
      { ...read, after: ["find", "first"] },
      { name: "second", gate: { show: ["read"] }, after: ["read"] },
      { name: "write", agent: "worker", after: ["second", "read"] },
    ];
    await apply(pipeline(name, { inputs, steps }));
    await apply(run(name, { pipeline: name, inputs: { topics: ["a", "b"], returns: 3 } }));
    const first = await untilPhase(TENANT, name, "AwaitingReview");
    expect(first.status.pipeline).toBe(`${TENANT}/${name}`);
    expect(stepOf(first, "find")).toMatchObject({ total: 2, succeeded: 2 });
    expect(stepOf(first, "first")).toMatchObject({ total: 1, running: 1 });

    // Edited in mid-run, it is another pipeline for the next run, and the same for this one.
    await apply(pipeline(name, { inputs, steps: [find] }));
    await decide(TENANT, name, "approved", { gate: "first" });
    const second = await untilReviewed(name, "second");
    expect(stepOf(second, "read")).toMatchObject({ total: 6, succeeded: 6 });
    expect(reviewOf(second, "first")).toMatchObject({ decision: "approved" });
    await decide(TENANT, name, "approved", { gate: "second", comment: "Go on." });

    const done = await untilPhase(TENANT, name, "Succeeded");
    expect(done.status.items).toEqual({ total: 8, done: 8, failed: 0, progress: "8/8" });
    expect(reviewOf(done, "second")).toMatchObject({ decision: "approved", comment: "Go on.", automatic: false });
    expect(done.status.outputs.random).toMatch(new RegExp(`^${TENANT}/${done.metadata.uid}/[0-9a-f]{64}\\.txt$`));
    const items = ["a", "b"].flatMap((of) => [0, 1, 2].map((index) => ({ of, index })));
    const expected = [
      ...["a", "b"].map((topic) => executionKey("find", topic)),
      ...items.map((item) => executionKey("read", item)),
      "write",
    ];
    expect(Object.fromEntries(await executionsOf(done))).toEqual(Object.fromEntries(expected.map((key) => [key, 1])));

    const table = await kubectl(["-n", TENANT, "get", "aw", name]);
    expect(table).toMatch(/^NAME +PHASE +PIPELINE +ITEMS +COST +REVIEW +AGE/);
    expect(table).toMatch(/two-gates +Succeeded +agentic-tests-tenant\/two-gates +8\/8/);
  });

  test("ten gates at once, and sixty steps", async () => {
    const gates = Array.from({ length: 10 }, (_, index) => `gate-${index}`);
    const wide = Array.from({ length: 48 }, (_, index) => `step-${index}`);
    const steps = [
      { name: "start", agent: "worker" },
      ...gates.map((name) => ({ name, gate: { show: ["start"] }, after: ["start"] })),
      ...wide.map((name, index) => ({ name, agent: "worker", after: [gates[index % 10]] })),
      // At most 32 in `after`: the others end before the run does.
      { name: "end", agent: "worker", after: wide.slice(0, 32) },
    ];
    const name = "sixty";
    expect(steps).toHaveLength(60);
    await apply(pipeline(name, { steps }), run(name, { pipeline: name }));
    await until("ten reviews", async () => (await workload(TENANT, name))?.status?.reviews?.length === 10);
    await untilPhase(TENANT, name, "AwaitingReview");
    for (const gate of gates) await decide(TENANT, name, "approved", { gate });
    const done = await untilPhase(TENANT, name, "Succeeded");
    expect(done.status.steps.every(({ succeeded }: { succeeded: number }) => succeeded === 1)).toBe(true);
  });

  test("its agent has no token of the cluster's", async () => {
    const pods = await until("a pod of an agent", async () => {
      const found = await list("pods", TENANT, AGENT_LABEL);
      return found.length > 0 ? found : undefined;
    });
    for (const { spec } of pods) {
      expect(spec.automountServiceAccountToken).toBe(false);
      const volumes: { projected?: { sources: object[] } }[] = spec.volumes;
      const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
      expect(sources.filter((source) => "serviceAccountToken" in source)).toEqual([]);
    }
  });

  const schema = { type: "object", required: ["nonsense"], properties: { nonsense: { enum: NONSENSE } } };
  const ask = { name: "ask", agent: "nonsense", with: ["nonsense"], timeout: `${NONSENSE_S}s` };

  test("its agents log in to Redis as their namespace, and reach nothing of another's", async () => {
    const secret = await until("the worker's Secret", () => get("secrets", TENANT, "agent-worker"));
    const given = new URL(Buffer.from(secret["data"].REDIS_URL, "base64").toString());
    expect(given.username).toBe(`agentic-tenant-${TENANT}`);
    await apply(pipeline("logs-in", { steps: [{ name: "work", agent: "worker" }] }));
    await apply(run("logs-in", { pipeline: "logs-in", inputs: {} }));
    await untilPhase(TENANT, "logs-in", "Succeeded");
    // The way there is the test's own; whom it expects at its end is what agents are told.
    const tls = { ca: Buffer.from(secret["data"].REDIS_CA, "base64").toString(), servername: given.hostname };
    given.host = await forwardPort({ namespace: SYSTEM, name: "redis" }, 6379);
    const redis = new Redis(given.href, { tls });
    try {
      expect(await redis.exists(`agentic:{${TENANT}.none}:record`)).toBe(0);
      for (const command of [
        ["GET", "agentic:{agentic-system.x}:record"],
        ["SCAN", "0"],
        ["FLUSHALL"],
        ["ACL", "LIST"],
      ])
        await expect(redis.call(...(command as [string]))).rejects.toThrow("NOPERM");
    } finally {
      redis.disconnect();
    }
  });

  test("its agents log in to the object store as their namespace, and reach nothing of another's", async () => {
    const settings = await until("the worker's Secret", () => get("secrets", TENANT, "agent-worker"));
    const given = (name: string): string => Buffer.from(settings["data"][name], "base64").toString();
    const login = { accessKeyId: given("AWS_ACCESS_KEY_ID"), secretAccessKey: given("AWS_SECRET_ACCESS_KEY") };
    expect(login.accessKeyId).toBe(`agentic-tenant-${TENANT}`);
    await apply(pipeline("stores", { steps: [{ name: "work", agent: "worker" }] }));
    await apply(run("stores", { pipeline: "stores", inputs: {} }));
    const done = await untilPhase(TENANT, "stores", "Succeeded");

    const store = { namespace: SYSTEM, name: "store" };
    const objects = `http://${await forwardPort(store, 7070)}`;
    const own = `/agentic-${TENANT}/${done.status.outputs.random}`;
    expect((await sendRaw(objects, { method: "GET", path: own }, login)).status).toBe(200);
    const bucket = `/agentic-${SYSTEM}`;
    for (const [method, path, query = ""] of [
      ["GET", `${bucket}/${SYSTEM}/uid/x.txt`],
      ["PUT", `${bucket}/${SYSTEM}/uid/x.txt`],
      ["GET", bucket, "list-type=2"],
      ["PUT", bucket, "policy="],
      ["DELETE", `/agentic-${TENANT}`],
      ["DELETE", own],
      ["PUT", "/mine"],
    ] as const) {
      const { status, code } = await sendRaw(objects, { method, path, query }, login);
      expect([403, 404], `${method} ${path}: ${code}`).toContain(status);
    }
    const accounts = `http://${await forwardPort(store, 7071)}`;
    for (const path of ["/list-users", "/create-user", "/list-buckets"])
      expect((await sendRaw(accounts, { method: "PATCH", path }, login)).code).toBe("XAdminAccessDenied");
  });

  test("agents that answer nonsense: each step ends, the workload says how, and other runs go on", async () => {
    await apply(pipeline("nonsense", { inputs: { schema }, steps: [ask] }));
    // Its deadline is far off: for an answer that ends the step however late it comes, and for a run that waits all along.
    await apply(pipeline("patient", { inputs: { schema }, steps: [{ ...ask, timeout: "1h" }] }));
    const named = (one: string) => (one === "schema" ? "patient" : "nonsense");
    await apply(...NONSENSE.map((one) => run(nonsenseRun(one), { pipeline: named(one), inputs: { nonsense: one } })));
    await apply(run("patient", { pipeline: "patient", inputs: { nonsense: "never" } }));
    await untilPhase(TENANT, "patient", "Running");
    await apply(pipeline("beside", { inputs, steps: [{ ...find, with: [] }] }));
    await apply(run("beside", { pipeline: "beside", inputs: { topics: ["a", "b", "c", "d"] } }));
    const beside = await untilPhase(TENANT, "beside", "Succeeded");
    expect(beside.status.items).toMatchObject({ done: 4, failed: 0 });

    const ends = await Promise.all(
      NONSENSE.map(async (one) => [one, condition(await untilPhase(TENANT, nonsenseRun(one), "Failed"), "Ready")]),
    );
    const late = {
      reason: "DeadlineExceeded",
      message: `step ask: agent nonsense left no result within ${NONSENSE_S} s of the first request`,
    };
    expect(Object.fromEntries(ends)).toMatchObject({
      ...Object.fromEntries(NONSENSE.map((one) => [one, late])),
      schema: {
        reason: "InvalidResult",
        message: expect.stringMatching(/^step ask: the agent's answer is no step result: .*outcome/s),
      },
    });
    expect((await workload(TENANT, "patient"))?.status.phase).toBe("Running");
    // What it has not answered would be delivered again, for minutes.
    await deleteAgent(TENANT, "nonsense");
  });

  const failed = async (name: string): Promise<{ reason: string; message: string }> => {
    const object = await untilPhase(TENANT, name, "Failed");
    expect((await workflowOf(TENANT, name))?.status.phase).toBe("Failed");
    const said = condition(object, "Completed");
    expect(condition(object, "Ready")).toMatchObject({ status: "False", reason: said.reason });
    return said;
  };

  test("fan out over 501 entries that steps returned", async () => {
    const name = "too-many";
    await apply(pipeline(name, { inputs, steps: [find, read] }));
    await apply(run(name, { pipeline: name, inputs: { topics: ["a", "b", "c"], returns: 166 } }));
    const { reason, message } = await failed(name);
    expect(reason).toBe("TooManyItems");
    expect(message).toMatch(/inputs\.topics and steps\.find\.items have 501 items together; a run has at most 500/);
    const object = await workload(TENANT, name);
    expect(object && [...(await executionsOf(object)).keys()].filter((key) => key.startsWith("read"))).toEqual([]);
  });

  test("take 501 entries from one step", async () => {
    const name = "too-long";
    await apply(pipeline(name, { inputs, steps: [{ name: "only", agent: "worker", with: ["returns"] }] }));
    await apply(run(name, { pipeline: name, inputs: { returns: 501 } }));
    const { reason, message } = await failed(name);
    expect([reason, message]).toEqual(["InvalidResult", expect.stringContaining("at most 500 items")]);
  });

  test("answer a condition that reads what is not there", async () => {
    const name = "no-answer";
    const steps = [{ name: "only", agent: "worker", when: "inputs.missing > 1.0" }];
    await apply(pipeline(name, { inputs, steps }), run(name, { pipeline: name }));
    const { reason, message } = await failed(name);
    expect([reason, message]).toEqual([
      "InvalidCondition",
      expect.stringMatching(/cannot evaluate `when` of step only/),
    ]);
  });
});

// Each makes or deletes Agents.
describe.concurrent("Agents that come and go", () => {
  test("the shorthand: an image over items, whose Agent goes with the workload", async () => {
    const name = "shorthand";
    const items = ["one", { url: "http://two.example/" }, "three"];
    await apply(run(name, { image: await supportImage(), inputs: { items }, replicas: 2 }));
    await untilReady({ namespace: TENANT, name });
    const done = await untilPhase(TENANT, name, "Succeeded");
    expect(done.status.items).toEqual({ total: 3, done: 3, failed: 0, progress: "3/3" });
    expect(done.status.steps).toMatchObject([{ name: "run", total: 3, succeeded: 3 }]);
    expect((await get("agents", TENANT, name))?.spec.image).toBe(await supportImage());
    await kubectl(["-n", TENANT, "delete", "agentworkload", name, "--timeout=60s"]);
    await until("its Agent to be gone", async () => !(await get("agents", TENANT, name)));
    await until("its Knative Service to be gone", async () => !(await get("ksvc", TENANT, name)));
  });

  test("a pipeline and an agent that do not exist yet: said, and gone on with when they appear", async () => {
    const name = "later";
    await apply(run(name, { pipeline: name }));
    const missing = await untilSaid(TENANT, name, "PipelineNotFound");
    expect(missing.message).toMatch(/no AgentPipeline later in agentic-tests-tenant or agentic-system/);
    const object = await workload(TENANT, name);
    expect(object && condition(object, "Accepted")).toMatchObject({ status: "False", reason: "PipelineNotFound" });
    await apply(pipeline(name, { steps: [{ name: "only", agent: name }] }));
    expect((await untilSaid(TENANT, name, "AgentNotFound")).message).toMatch(/no Agent later in/);
    await createAgents(await testAgent(name));
    await untilPhase(TENANT, name, "Succeeded");
  });

  test("an agent that is deleted in mid-run: said, and the run goes on when it is back", async () => {
    const name = "leaving";
    const steps = [
      { name: "before", agent: "worker" },
      { name: "gate", gate: {}, after: ["before"] },
      { name: "after", agent: name, after: ["gate"] },
    ];
    await apply(pipeline(name, { steps }), run(name, { pipeline: name }));
    await untilPhase(TENANT, name, "AwaitingReview");
    await deleteAgent(TENANT, name);
    await decide(TENANT, name, "approved", { gate: "gate" });
    expect((await untilSaid(TENANT, name, "AgentNotFound")).message).toMatch(
      /Agent leaving was deleted: apply it again/,
    );
    await apply(await testAgent(name));
    const done = await untilPhase(TENANT, name, "Succeeded");
    expect((await executionsOf(done)).get("before")).toBe(1);
  });

  test("an agent edited in mid-run to an image that does not pull: the run goes on with the one that works", async () => {
    const name = "edited";
    const steps = [
      { name: "gate", gate: {} },
      { name: "after", agent: name, after: ["gate"] },
    ];
    await createAgents(await testAgent(name));
    const { revision } = (await get("agents", TENANT, name))?.status ?? {};
    await apply(pipeline(name, { steps }), run(name, { pipeline: name }));
    await untilPhase(TENANT, name, "AwaitingReview");
    await apply(agent(name, { image: NO_IMAGE }));
    await until("the Agent to say so", async () => {
      const object = await get("agents", TENANT, name);
      return object && condition(object, "Ready").reason === "ImageNotReady";
    });
    expect((await get("agents", TENANT, name))?.status.revision).toBe(revision);
    await decide(TENANT, name, "approved", { gate: "gate" });
    await untilPhase(TENANT, name, "Succeeded");
  });

  test("an agent whose Secret is gone does not start: it is named, and the run goes on when it is back", async () => {
    const name = "no-secret";
    const { spec, ...rest } = await testAgent(name);
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: TENANT, name },
      stringData: { KEY: "1" },
    };
    await apply(secret);
    await createAgents({ ...rest, spec: { ...spec, envFrom: [{ secretRef: { name } }] } });
    await kubectl(["-n", TENANT, "delete", "secret", name]);
    await kubectl(["-n", TENANT, "delete", "pods", "-l", `serving.knative.dev/service=${name}`, "--wait=false"]);
    await apply(pipeline(name, { steps: [{ name: "only", agent: name }] }), run(name, { pipeline: name }));
    const { message } = await untilSaid(TENANT, name, "StepNotTakenUp", "StepUndeliverable", "AgentNotReady");
    expect(message).toMatch(/agent (\S+\/)?no-secret/i);
    await apply(secret);
    await untilPhase(TENANT, name, "Succeeded");
  });

  test("an Agent that is deleted takes all along that was made for it", async () => {
    const name = "deleted";
    await createAgents(await testAgent(name));
    const triggers = async () =>
      (await list("triggers", SYSTEM, `${AGENT_LABEL}=${name}`)).map(({ metadata }) => metadata.name);
    const made = [
      ["ksvc", name],
      ["secrets", `agent-${name}`],
      ["serviceaccounts", `agent-${name}`],
    ] as const;
    for (const [kind, of] of made) expect(await get(kind, TENANT, of)).toBeDefined();
    expect(await triggers()).toHaveLength(1);
    await deleteAgent(TENANT, name);
    for (const [kind, of] of made) await until(`${kind} ${of} to be gone`, async () => !(await get(kind, TENANT, of)));
    expect(await triggers()).toEqual([]);
  });

  test.each([
    ["tag", NO_IMAGE, /localhost:1\/none/],
    ["digest", BY_DIGEST, /Initial scale was never achieved/],
  ])(
    "an image that does not pull, by its %s: its Agent says so, a run waits, and goes on when it has another",
    async (by, image, why) => {
      const name = `no-image-by-${by}`;
      await apply(agent(name, { image }));
      await apply(pipeline(name, { steps: [{ name: "only", agent: name }] }), run(name, { pipeline: name }));
      const said = await until(
        "the Agent to say so",
        async () => {
          const object = await get("agents", TENANT, name);
          const ready = object && condition(object, "Ready");
          return ready?.reason === "ImageNotReady" && why.test(ready.message) ? ready : undefined;
        },
        { ms: 400_000, seen: async () => (await get("agents", TENANT, name))?.status },
      );
      expect(said.status).toBe("False");
      expect((await get("agents", TENANT, name))?.status.revision).toBeUndefined();
      expect((await untilSaid(TENANT, name, "AgentNotReady")).message).toMatch(/ImageNotReady/);
      await apply(await testAgent(name));
      await untilPhase(TENANT, name, "Succeeded");
    },
  );
});
