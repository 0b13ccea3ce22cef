import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KINDS } from "../../crd/kinds.ts";
import { home } from "../cluster/context.ts";
import { createAgents } from "../kubernetes/agents.ts";
import { apply, ask, get, type KubeObject, kubectl, list, until } from "../kubernetes/cluster.ts";
import { setup, TENANT, teardown } from "../kubernetes/namespaces.ts";
import { askRedis } from "../kubernetes/redis.ts";
import { pipeline, run, schedule, strings, testAgent } from "../kubernetes/tenant.ts";
import { SYSTEM, untilPhase, workload } from "../kubernetes/workload.ts";
import { packFolder, writeFixture } from "./fixture.ts";

/** What a version keeps in a cluster, at one moment. */
export interface RecordedCluster {
  /** ISO. */
  readonly at: string;
  /** YAML by file name. */
  readonly crds: Readonly<Record<string, string>>;
  /** Of our kinds, and Argo's Workflows. A workload's name says where its run stands. */
  readonly objects: readonly KubeObject[];
  /** As it was while its Workflow was being made. */
  readonly creating: KubeObject;
  /** PEM, by setting. Of a cluster that is gone. */
  readonly keys: Readonly<Record<string, string>>;
  /** Events of the steps' contract, as the Broker delivered them. */
  readonly events: readonly object[];
  /** Accounts of quotas: data by name. */
  readonly accounts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Commands that make Redis what it was, but for checkpoints. */
  readonly redis: readonly (readonly string[])[];
  /** JSON of the object store by key, in base64. */
  readonly bytes: Readonly<Record<string, string>>;
}

const SLOW = "slow";
const QUICK = "quick";
const TRIGGER = { namespace: SYSTEM, name: "inbox-steps" };

export async function recordCluster(version: string): Promise<void> {
  await setup();
  try {
    await prepare();
    const creating = await bringAbout();
    const workloads = await list("agentworkloads", TENANT);
    const uids = new Set(workloads.map(({ metadata }) => metadata.uid));
    const recorded: RecordedCluster = {
      at: new Date().toISOString(),
      crds: Object.fromEntries(
        KINDS.map(({ kind }) => `${kind.toLowerCase()}.yaml`).map((file) => [
          file,
          readFileSync(join(import.meta.dirname, "../../crd", file), "utf8"),
        ]),
      ),
      objects: [
        ...workloads,
        ...(await list("workflows", TENANT)),
        ...(await list("agents", TENANT)),
        ...(await list("agentpipelines", TENANT)),
        ...(await list("agentschedules", TENANT)),
        ...(await list("agentdecisions", TENANT)),
      ].map(withoutManagers),
      creating: withoutManagers(creating),
      keys: await keys(),
      events: await events(uids),
      accounts: await accounts(),
      redis: await redisCommands(),
      bytes: storedJson(uids),
    };
    writeFixture(version, "cluster", recorded);
  } finally {
    await kubectl(["-n", SYSTEM, "delete", "trigger", TRIGGER.name, "--ignore-not-found"]);
    await teardown();
  }
}

async function prepare(): Promise<void> {
  await ask({ namespace: SYSTEM, name: "inbox" }, "/events", { method: "DELETE" });
  const steps = [
    { name: "look", agent: QUICK, forEach: "inputs.items", with: ["draw"] },
    { name: "review", after: ["look"], gate: { show: ["look"] } },
    { name: "sum", agent: QUICK, after: ["review"] },
  ];
  const inputs = { schema: { type: "object", properties: { items: strings, draw: { type: "object" } } } };
  await apply(
    {
      apiVersion: "eventing.knative.dev/v1",
      kind: "Trigger",
      metadata: TRIGGER,
      spec: {
        broker: "default",
        filter: { attributes: { type: "dev.agentic.step.requested" } },
        subscriber: { ref: { apiVersion: "v1", kind: "Service", name: "inbox", namespace: SYSTEM } },
      },
    },
    pipeline("kept", { inputs, steps }),
    pipeline("slowly", { inputs, steps: [...steps, { name: "last", agent: SLOW, after: ["review"] }] }),
    schedule("nightly", {
      schedule: "0 3 * * *",
      workloadTemplate: { spec: { pipeline: "kept", inputs: { items: [] } } },
    }),
  );
  await createAgents(await testAgent(QUICK), await testAgent(SLOW, { STEP_MS: "240000" }));
}

/** A workload in each phase, named after where its run stands. @returns one whose Workflow was being made */
async function bringAbout(): Promise<KubeObject> {
  const years = { freshness: "3650d", deadlines: { item: "3650d", run: "3650d" }, ttlAfterFinished: "3650d" };
  const items = ["a", "b", "c"];
  const of = (name: string, spec: object = {}) =>
    run(name, { pipeline: "kept", inputs: { items }, review: { timeout: "3650d" }, ...years, ...spec });
  const failing = { items, draw: { numbers: [0], failureRate: 100 } };
  const seen = until(
    "a workload to be Creating",
    async () => {
      const all = await list("agentworkloads", TENANT);
      return all.find(({ status }) => status?.phase === "Creating");
    },
    { every: 20 },
  );
  await apply(
    of("pending", { pipeline: "is-not-there" }),
    of("running", { pipeline: "slowly" }),
    of("suspended"),
    of("waiting"),
    of("changed"),
    of("succeeded"),
    of("rejected"),
    of("failed", { inputs: failing, tolerate: { failedItems: 0 } }),
  );
  const decided = { succeeded: "approved", rejected: "rejected", running: "approved", changed: "changesRequested" };
  for (const [name, decision] of Object.entries(decided)) {
    const { status } = await inPhase(name, "AwaitingReview");
    await decide(name, decision, status.reviews[0].digest);
  }
  await inPhase("suspended", "AwaitingReview");
  await kubectl([
    "-n",
    TENANT,
    "patch",
    "agentworkload",
    "suspended",
    "--type=merge",
    "-p",
    '{"spec":{"suspend":true}}',
  ]);
  await inPhase("suspended", "Suspended");
  await inPhase("succeeded", "Succeeded");
  await inPhase("rejected", "Rejected");
  await inPhase("failed", "Failed");
  await inPhase("waiting", "AwaitingReview");
  await until("changes to be made", async () => {
    const { status } = (await workload(TENANT, "changed")) ?? {};
    return status?.changes?.length === 1 && status.phase === "AwaitingReview";
  });
  await until("the last step to be at work", async () => {
    const { status } = (await workload(TENANT, "running")) ?? {};
    return status?.steps?.some(
      ({ name, running }: { name: string; running: number }) => name === "last" && running === 1,
    );
  });
  return seen;
}

/** Fixtures are recorded on a quiet cluster: one that takes longer hangs. */
async function inPhase(name: string, phase: string): Promise<KubeObject> {
  console.log(`${name}: until it is ${phase}`);
  return untilPhase(TENANT, name, phase, { ms: 60_000 });
}

async function decide(name: string, decision: string, digest: string): Promise<void> {
  const spec = {
    workload: name,
    digest,
    decision,
    by: await kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]),
    comment: "As it should be.",
  };
  await kubectl(["create", "-f", "-"], JSON.stringify({ ...run(`${name}-decided`, spec), kind: "AgentDecision" }));
}

/** Who wrote which field says nothing to us, and is most of an object. */
function withoutManagers({ metadata, ...object }: KubeObject): KubeObject {
  const { managedFields: _managers, ...kept } = metadata as KubeObject["metadata"] & { managedFields?: unknown };
  return { ...object, metadata: kept } as KubeObject;
}

async function keys(): Promise<Record<string, string>> {
  const secrets = ["agentic-signing-keys", "agentic-public-keys", "agentic-evidence"];
  const found = await Promise.all(secrets.map((name) => get("secrets", SYSTEM, name)));
  const data = Object.assign({}, ...found.map((secret) => secret?.["data"] ?? {})) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value, "base64").toString("utf8")]),
  );
}

async function events(uids: ReadonlySet<string>): Promise<object[]> {
  const { body } = await ask({ namespace: SYSTEM, name: "inbox" }, "/events");
  const all = JSON.parse(body) as { event: { type: string; data?: { workload?: { uid: string } } } }[];
  return all
    .map(({ event }) => event)
    .filter(({ type, data }) => type.startsWith("dev.agentic.") && uids.has(data?.workload?.uid ?? ""));
}

async function accounts(): Promise<Record<string, Record<string, string>>> {
  const found = await list("configmaps", SYSTEM);
  return Object.fromEntries(
    found
      .filter(({ metadata }) => metadata.name.startsWith("agentic-usage"))
      .map(({ metadata, data }) => [metadata.name, data]),
  );
}

/** Checkpoints are recorded with the run folders: they are no text. */
const DUMP = `local out = {}
for _, key in ipairs(redis.call("KEYS", "agentic:*")) do
  if not string.find(key, ":checkpoint:") and not string.find(key, ":values$") and not string.find(key, ":index$") then
    local kind = redis.call("TYPE", key).ok
    if kind == "string" then out[#out + 1] = { "SET", key, redis.call("GET", key) } end
    if kind == "set" then out[#out + 1] = { "SADD", key, unpack(redis.call("SMEMBERS", key)) } end
    if kind == "hash" then out[#out + 1] = { "HSET", key, unpack(redis.call("HGETALL", key)) } end
  end
end
return cjson.encode(out)`;

async function redisCommands(): Promise<string[][]> {
  const commands = JSON.parse(await askRedis(`EVAL '${DUMP.replaceAll("\n", " ")}' 0`)) as string[][];
  return commands.filter(([, key = ""]) => key.includes(`{${TENANT}.`) || key.includes(":steps"));
}

/** Of the test cluster's volume. */
function storedJson(uids: ReadonlySet<string>): Record<string, string> {
  const bucket = join(home, "volumes/store/buckets", `agentic-${TENANT}`);
  if (!existsSync(bucket)) throw new Error(`${bucket} is not there: there are ${readdirSync(join(bucket, ".."))}`);
  return Object.fromEntries(
    Object.entries(packFolder(bucket)).filter(([path]) => path.endsWith(".json") && uids.has(path.split("/")[1] ?? "")),
  );
}
