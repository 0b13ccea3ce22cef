import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BUILD_MS, built } from "../cluster/built.ts";
import { apply, argo, ask, get, kubectl, list, until } from "./cluster.ts";
import { askFunction } from "./functions.ts";
import {
  analysesBySite,
  condition,
  decide,
  example,
  freshNamespace,
  functionPods,
  SYSTEM,
  untilPhase,
  workflowOf,
  workload,
} from "./workload.ts";

const NAMESPACE = "faults";
beforeAll(() => built("argo"), BUILD_MS);
beforeAll(() => freshNamespace(NAMESPACE));
afterEach(async () => {
  await kubectl(["-n", NAMESPACE, "delete", "agentworkload", "--all", "--timeout=120s"]);
});
afterAll(() => kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]));

/** A question of its own: nothing that another test was answered is used again. */
const asking = (name: string, over: Record<string, unknown> = {}) =>
  example(NAMESPACE, name, { objective: `${name}, at ${Date.now()}?`, ...over });

const scale = (namespace: string, deployment: string, replicas: number) =>
  kubectl(["-n", namespace, "scale", "deployment", deployment, `--replicas=${replicas}`]);
async function available(namespace: string, deployment: string): Promise<void> {
  await kubectl(["-n", namespace, "rollout", "status", "deployment", deployment, "--timeout=120s"]);
}

/** Takes a part away, waits until the workload says so, and brings it back. */
async function without(namespace: string, deployment: string, meanwhile: () => Promise<void>): Promise<void> {
  await scale(namespace, deployment, 0);
  try {
    await until(`${deployment} to be gone`, async () => {
      const pods = await list("pods", namespace);
      return !pods.some(({ metadata }) => metadata.name.startsWith(`${deployment}-`));
    });
    await meanwhile();
  } finally {
    await scale(namespace, deployment, 1);
    await available(namespace, deployment);
  }
}

const untilReason = (name: string, ...reasons: string[]) =>
  until(
    `${name} to say ${reasons.join(" or ")}`,
    async () => {
      const object = await workload(NAMESPACE, name);
      const ready = object && condition(object, "Ready");
      return ready && reasons.includes(ready.reason) ? ready : undefined;
    },
    { ms: 240_000, seen: async () => (await workload(NAMESPACE, name))?.status?.conditions },
  );

describe("processes that end in the middle", () => {
  test.each([
    ["deleted", [], 0],
    // An answer that is on the wire when its process is killed is asked for again: at most those at work in one instance.
    ["killed", ["--force", "--grace-period=0"], 4 * 8],
  ])(
    "functions that are %s: others go on, and nothing that was answered is asked again",
    async (name, how, onTheWire) => {
      await ask({ namespace: SYSTEM, name: "openai" }, "/log", { method: "DELETE" });
      await apply(asking(name));
      await untilPhase(NAMESPACE, name, "Running");
      for (let round = 0; round < 4; round++) {
        await sleep(2500);
        const selector = "serving.knative.dev/service in (scrape, analyze, reconcile)";
        await kubectl(["-n", SYSTEM, "delete", "pods", "-l", selector, "--wait=false", ...how]);
      }
      const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview", { ms: 420_000 });
      expect(waiting.status.sites).toMatchObject({ total: 10, analyzed: 10, failed: 0 });
      const asked = await analysesBySite();
      expect(asked.size).toBe(10);
      expect([...asked.values()].reduce((sum, count) => sum + count - 1, 0)).toBeLessThanOrEqual(onTheWire);
      await decide(NAMESPACE, name, "approved");
      await untilPhase(NAMESPACE, name, "Succeeded");
    },
  );

  test("the Broker's dispatcher: what it held is asked for again", async () => {
    const name = "dispatcher";
    await apply(asking(name));
    await untilPhase(NAMESPACE, name, "Running");
    await sleep(1500);
    await kubectl([
      "-n",
      "knative-eventing",
      "delete",
      "pods",
      "-l",
      "messaging.knative.dev/role=dispatcher",
      "--force",
      "--grace-period=0",
    ]);
    const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview", { ms: 420_000 });
    expect(waiting.status.sites).toMatchObject({ total: 10, analyzed: 10, failed: 0 });
  });
});

describe("parts that are away: the workload says which, and heals", () => {
  test("Redis", async () => {
    const name = "no-redis";
    await without(SYSTEM, "redis", async () => {
      await apply(asking(name));
      expect((await untilReason(name, "StoreUnavailable")).message).toMatch(/Redis/);
    });
    await untilPhase(NAMESPACE, name, "AwaitingReview", { ms: 420_000 });
  });

  test("the Broker's ingress", async () => {
    const name = "no-broker";
    await apply(asking(name, { suspend: true }));
    await untilPhase(NAMESPACE, name, "Suspended");
    await without("knative-eventing", "mt-broker-ingress", async () => {
      await apply(asking(name));
      await sleep(3000);
    });
    // The event of the change could not be sent: the resync finds it.
    await untilPhase(NAMESPACE, name, "AwaitingReview", { ms: 420_000 });
  });

  test("Argo's controller", async () => {
    const name = "no-argo";
    await without("argo", "workflow-controller", async () => {
      await apply(asking(name));
      await untilPhase(NAMESPACE, name, "Creating");
      expect((await untilReason(name, "Creating")).message).toMatch(/Argo|created/);
    });
    await untilPhase(NAMESPACE, name, "AwaitingReview");
  });
});

test("a Secret that is missing: the function that does not start is named, and the run heals", async () => {
  const name = "no-secret";
  await until("scrape to be at zero", async () => !(await functionPods()).has("scrape"), { ms: 180_000 });
  const secret = await get("secret", SYSTEM, "agentic-browser");
  const { resourceVersion: _v, uid: _u, creationTimestamp: _c, ...metadata } = secret?.metadata ?? {};
  await kubectl(["-n", SYSTEM, "delete", "secret", "agentic-browser"]);
  try {
    await apply(asking(name));
    expect((await untilReason(name, "StepNotTakenUp")).message).toMatch(/function scrape/);
  } finally {
    await apply({ ...secret, metadata });
  }
  await untilPhase(NAMESPACE, name, "AwaitingReview", { ms: 420_000 });
});

test("an image that does not pull: the function that does not start is named, and the run heals", async () => {
  const name = "no-image";
  await until("analyze to be at zero", async () => !(await functionPods()).has("analyze"), { ms: 180_000 });
  const service = await get("ksvc", SYSTEM, "analyze");
  if (!service) throw new Error("there is no function analyze");
  const { apiVersion, kind, metadata, spec } = service;
  // Changed in place, Knative would go on with the image that works.
  const anew = async (template: object): Promise<void> => {
    await kubectl(["-n", SYSTEM, "delete", "ksvc", "analyze", "--timeout=60s"]);
    await apply({
      apiVersion,
      kind,
      metadata: { namespace: SYSTEM, name: "analyze", labels: metadata.labels },
      spec: { template },
    });
  };
  const { containers, ...pod } = spec.template.spec;
  const image = `localhost:1/none@sha256:${"0".repeat(64)}`;
  await anew({ ...spec.template, spec: { ...pod, containers: [{ ...containers[0], image }] } });
  try {
    await apply(asking(name));
    const said = await untilReason(name, "StepNotTakenUp", "StepUndeliverable");
    expect(said.message).toMatch(/function analyze/);
  } finally {
    await anew(spec.template);
  }
  await untilPhase(NAMESPACE, name, "AwaitingReview", { ms: 420_000 });
});

describe("Argo's own defaults", () => {
  const settings = ["INFORMER_WRITE_BACK", "DEFAULT_REQUEUE_TIME"];
  const set = (values: readonly string[]) =>
    kubectl([
      "-n",
      "argo",
      "set",
      "env",
      "deployment/workflow-controller",
      ...settings.map((name, at) => `${name}=${values[at]}`),
    ]);

  test("a run is right without the settings that make it quick", async () => {
    const deployment = (await list("deployments", "argo")).find(
      ({ metadata }) => metadata.name === "workflow-controller",
    );
    const env: { name: string; value: string }[] = deployment?.spec.template.spec.containers[0].env;
    const before = settings.map((name) => env.find((one) => one.name === name)?.value ?? "");
    expect(before).toEqual(["true", "20ms"]);
    await set(["false", "10s"]);
    try {
      await available("argo", "workflow-controller");
      await apply(asking("slow"));
      const waiting = await untilPhase(NAMESPACE, "slow", "AwaitingReview", { ms: 420_000 });
      expect(waiting.status.sites).toMatchObject({ analyzed: 10, failed: 0 });
      await decide(NAMESPACE, "slow", "approved");
      await untilPhase(NAMESPACE, "slow", "Succeeded");
    } finally {
      await set(before);
      await available("argo", "workflow-controller");
    }
  });
});

describe("what people do", () => {
  test("a namespace that is deleted while its run goes on goes away", async () => {
    const namespace = await freshNamespace("going");
    await apply(example(namespace, "going"));
    await untilPhase(namespace, "going", "Running");
    await kubectl(["delete", "namespace", namespace, "--timeout=180s"]);
    expect(await kubectl(["get", "namespace", namespace, "--ignore-not-found"])).toBe("");
  });

  test("a changed spec is a new run that pays only for what changed", async () => {
    const name = "edited";
    const first = asking(name, { replicas: 10 });
    const [added, ...before] = first.spec.sites;
    await apply({ ...first, spec: { ...first.spec, sites: before } });
    await untilPhase(NAMESPACE, name, "AwaitingReview");
    await ask({ namespace: SYSTEM, name: "openai" }, "/log", { method: "DELETE" });
    const old = await workflowOf(NAMESPACE, name);
    await apply(first);
    await until("the new run", async () => (await workload(NAMESPACE, name))?.status?.sites?.total === 10);
    const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
    expect(waiting.status.sites.analyzed).toBe(10);
    expect([...(await analysesBySite())]).toEqual([[added, 1]]);
    const stopped = (await list("workflows.argoproj.io", NAMESPACE)).find(
      (one) => one.metadata.uid === old?.metadata.uid,
    );
    expect(stopped?.spec.shutdown).toBe("Terminate");
  });

  test("applied twice, it is one run", async () => {
    const one = asking("twice");
    await apply(one);
    await apply(one);
    await untilPhase(NAMESPACE, "twice", "AwaitingReview");
    expect(await list("workflows.argoproj.io", NAMESPACE, "agentic.dev/workload=twice")).toHaveLength(1);
  });

  test("one that breaks a rule is refused with its field and the reason", async () => {
    const bad = asking("bad", { replicas: 99, sites: ["ftp://x.example/"] });
    await expect(apply(bad)).rejects.toThrow(
      /spec\.replicas.*less than or equal to 64|must be a URL that starts with http/s,
    );
  });

  test("one that only admission's rules refuse says so in its status", async () => {
    await apply(asking("inner", { sites: ["http://10.0.0.7/"] }));
    expect((await untilReason("inner", "InvalidSpec")).message).toMatch(/10\.0\.0\.7 is a private address/);
  });

  test("stopped in Argo: failed, with the way to go on, and gone on with", async () => {
    const name = "stopped";
    await apply(asking(name));
    await untilPhase(NAMESPACE, name, "Running");
    const workflow = (await workflowOf(NAMESPACE, name))?.metadata.name ?? "";
    await argo(NAMESPACE, workflow, "stop");
    const failed = await untilPhase(NAMESPACE, name, "Failed");
    expect(condition(failed, "Ready")).toMatchObject({ reason: "StoppedInArgo" });
    expect(condition(failed, "Ready").message).toContain(`kubectl -n ${NAMESPACE} delete workflow ${workflow}`);
    await kubectl(["-n", NAMESPACE, "delete", "workflows.argoproj.io", workflow]);
    const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
    expect(waiting.status.sites).toMatchObject({ analyzed: 10, failed: 0 });
  });

  test("suspended in Argo: said, with the way to go on", async () => {
    const name = "held";
    await apply(asking(name));
    await untilPhase(NAMESPACE, name, "Running");
    const workflow = (await workflowOf(NAMESPACE, name))?.metadata.name ?? "";
    await argo(NAMESPACE, workflow, "suspend");
    const held = await untilPhase(NAMESPACE, name, "Suspended");
    const advice = condition(held, "Ready").message;
    expect(advice).toContain(`kubectl -n ${NAMESPACE} patch workflow ${workflow}`);
    await kubectl([
      "-n",
      NAMESPACE,
      "patch",
      "workflows.argoproj.io",
      workflow,
      "--type=merge",
      "-p",
      '{"spec":{"suspend":null}}',
    ]);
    await untilPhase(NAMESPACE, name, "AwaitingReview");
  });

  test("a step resumed by hand without a result fails its site with that reason", async () => {
    const name = "resumed";
    await apply(asking(name, { replicas: 1 }));
    await until("a node", async () => {
      const workflow = await workflowOf(NAMESPACE, name);
      const nodes = Object.values(workflow?.status?.nodes ?? {}) as { id: string; type: string; phase: string }[];
      const node = nodes.find(({ type, phase }) => type === "Suspend" && phase === "Running");
      if (!node || !workflow) return undefined;
      const operations = [
        { op: "test", path: `/status/nodes/${node.id}/phase`, value: "Running" },
        { op: "replace", path: `/status/nodes/${node.id}/phase`, value: "Succeeded" },
        {
          op: "add",
          path: `/status/nodes/${node.id}/outputs`,
          value: { parameters: [{ name: "result", value: "by hand" }] },
        },
      ];
      await kubectl([
        "-n",
        NAMESPACE,
        "patch",
        "workflows.argoproj.io",
        workflow.metadata.name,
        "--type=json",
        "-p",
        JSON.stringify(operations),
      ]);
      return true;
    });
    const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
    // Its function may have been quicker than the hand; then the result is there, and counts.
    expect(waiting.status.sites.analyzed + waiting.status.sites.failed).toBe(10);
  });
});

describe("events by hand", () => {
  const structured = { "content-type": "application/cloudevents+json" };
  const event = (over: object) => JSON.stringify({ specversion: "1.0", id: "1", source: "/test", type: "x", ...over });
  test.each<[string, string, string, number, RegExp]>([
    ["of another type", "scrape", event({ type: "com.example.nothing" }), 400, /expected type/],
    ["without an id", "analyze", '{"specversion":"1.0","source":"/test","type":"x"}', 400, /not a CloudEvent/],
    ["garbage", "report", "%%%", 400, /not a CloudEvent/],
    [
      "with data of another shape",
      "scrape",
      event({ type: "dev.agentic.step.requested", data: { a: 1 } }),
      400,
      /workload/,
    ],
    [
      "for reconcile, of a type that it does not take",
      "reconcile",
      event({ type: "com.example.nothing" }),
      400,
      /takes no events/,
    ],
    [
      "a decision with a forged token",
      "approve",
      event({
        type: "dev.agentic.review.decided",
        data: { namespace: "x", name: "y", decision: "approved", digest: "0".repeat(64), token: "forged" },
      }),
      401,
      /not valid/,
    ],
    ["of 2 MB", "analyze", event({ data: "x".repeat(2 * 1024 * 1024) }), 413, /^$/],
  ])("%s: %s refuses it with a reason", async (_what, name, body, status, words) => {
    const answer = await askFunction(name, "/", { method: "POST", headers: structured, body });
    const message = decodeURIComponent(String(answer.headers["agentic-message"] ?? ""));
    expect([answer.status, message]).toEqual([status, expect.stringMatching(words)]);
  });

  test("nothing was restarted by any of it", async () => {
    const pods = await list("pods", SYSTEM, "serving.knative.dev/service");
    const restarts = pods.flatMap(({ status }) => status.containerStatuses ?? []);
    expect(restarts.filter(({ restartCount }: { restartCount: number }) => restartCount > 0)).toEqual([]);
  });
});
