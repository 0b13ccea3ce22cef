import { beforeAll, describe, expect, test } from "vitest";
import { apply, kubectl, until } from "./cluster.ts";
import { NAMESPACE, OTHER, TENANT } from "./namespaces.ts";
import { agent, pipeline, run } from "./tenant.ts";
import { asking } from "./workload.ts";

// What `kubectl apply` says. Each is a dry run, which the webhook is asked about all the same: nothing is made.

const dryRun = (object: object, ...args: string[]) =>
  kubectl(
    ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", ...args],
    JSON.stringify(object),
  );

/** Where the webhook does not answer within its time, objects are taken as they are. */
const refusal = (object: object, ...args: string[]) =>
  until(
    "the webhook's refusal",
    () =>
      dryRun(object, ...args).then(
        () => undefined,
        (error: unknown) => String(error),
      ),
    { ms: 60_000 },
  );

const warningsOf = (object: object) => refusal(object, "--warnings-as-errors");

const WEBHOOK = /admission webhook "objects\.admit\.agentic\.dev" denied the request/;

beforeAll(async () => {
  await apply(
    pipeline("admitting", {
      inputs: { schema: { type: "object", required: ["urls"], properties: { urls: { type: "array" } } } },
      steps: [{ name: "read", agent: "nobody", forEach: "inputs.urls" }],
    }),
  );
});

describe.concurrent("what kubectl apply refuses", () => {
  test("inputs that break the pipeline's schema or rules: each problem, at once", async () => {
    const said = await refusal(asking("inputs", { sites: ["ftp://x.example/", "http://10.0.0.7/"], objective: "" }));
    expect(said).toMatch(WEBHOOK);
    expect(said).toMatch(/spec\.inputs\.objective/);
    expect(said).toMatch(/spec\.inputs\.sites\[0\]/);
    expect(said).toMatch(/spec\.inputs\.sites\[1\] 10\.0\.0\.7 is a private address/);
  });

  test("a pipeline with a cycle", async () => {
    const steps = [
      { name: "one", agent: "nobody", after: ["two"] },
      { name: "two", agent: "nobody", after: ["one"] },
    ];
    expect(await refusal(pipeline("circle", { steps }))).toMatch(/cycle/);
  });

  test("an Agent that has its steps sent to others", async () => {
    const uri = "http://redis.agentic-system.svc.cluster.local:6379/";
    expect(await refusal(agent("spying", { uri }))).toMatch(/spec\.uri redis\.\S+ is private/);
    expect(await refusal(agent("spying", { uri: "http://redis.agentic-system/" }))).toMatch(/is private/);
    const service = { name: "reader", namespace: OTHER };
    expect(await refusal(agent("spying", { service }))).toMatch(/spec\.service\.namespace is another namespace/);
  });

  test("an edit; a label is not judged", async () => {
    const name = "edited-to-nothing";
    await apply(run(name, { pipeline: "admitting", inputs: { urls: ["https://a.example/"] }, suspend: true }));
    expect(await refusal(run(name, { pipeline: "admitting", inputs: {} }))).toMatch(/spec\.inputs\.urls is missing/);
    await kubectl(["-n", TENANT, "label", "agentworkload", name, "seen=yes"]);
    await kubectl(["-n", TENANT, "delete", "agentworkload", name]);
  });
});

describe.concurrent("what it takes", () => {
  test("what is right, without a word", async () => {
    expect(await dryRun(asking("right"))).toMatch(/right serverside-applied \(server dry run\)\n$/);
  });

  test("what comes before its pipeline, with a warning", async () => {
    const early = { ...run("early", { pipeline: "later" }), metadata: { namespace: NAMESPACE, name: "early" } };
    expect(await warningsOf(early)).toMatch(/Warning: there is no AgentPipeline later in agentic-tests/);
    const waiting = run("waiting", { pipeline: "admitting", inputs: { urls: ["https://a.example/"] } });
    expect(await warningsOf(waiting)).toMatch(/Warning: there is no Agent nobody in agentic-tests-tenant/);
  });
});

test("who was refused, created and deleted what stands in admit's log", async () => {
  const ann = ["--as", "ann@example.com", "--as-group", "system:masters"];
  const steps = [
    { name: "one", agent: "nobody", after: ["two"] },
    { name: "two", agent: "nobody", after: ["one"] },
  ];
  await refusal(pipeline("circle-of-ann", { steps }), ...ann);
  const paused = run("paused-by-ann", {
    pipeline: "admitting",
    inputs: { urls: ["https://a.example/"] },
    suspend: true,
  });
  await kubectl(["apply", "--server-side", "-f", "-", ...ann], JSON.stringify(paused));
  await kubectl(["-n", TENANT, "delete", "agentworkload", "paused-by-ann", ...ann]);
  const said = await until("the records", async () => {
    const log = await kubectl(["-n", "agentic-system", "logs", "-l", "app.kubernetes.io/name=admit", "--tail=-1"]);
    const lines = log.split("\n").filter((line) => line.includes('"audit":true') && line.includes("-ann"));
    return lines.length >= 3 ? lines.map((line) => JSON.parse(line)) : undefined;
  });
  const by = (event: string, name: string) => ({
    event: `agentic.audit.object.${event}`,
    "user.name": "ann@example.com",
    "agentic.object.name": name,
  });
  // The webhook may have been asked more than once before it answered in time.
  expect(said).toContainEqual(
    expect.objectContaining({ ...by("refused", "circle-of-ann"), "agentic.message": expect.stringContaining("cycle") }),
  );
  expect(said.filter((line) => line["agentic.object.name"] === "paused-by-ann")).toMatchObject([
    by("created", "paused-by-ann"),
    by("deleted", "paused-by-ann"),
  ]);
});
