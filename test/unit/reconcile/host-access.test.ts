import { describe, expect, test } from "vitest";
import { type ReconcileDeps, reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { TerminalError } from "../../../lib/errors.ts";
import type { HostAccess } from "../../../lib/host-access.ts";
import type { AgentRef } from "../../../lib/step-events.ts";
import { createHarness, done, pipelineOf, REF } from "./harness.ts";

// What a workload's namespace holds for hosts: who gets it, when it is read, and that it is written nowhere.

const SECRET = "s3cr3t-value";
const held = (value = SECRET): Record<string, string> => ({
  "shop.example": JSON.stringify({ headers: { "X-Key": value } }),
});
const ITEMS = ["https://shop.example/", "https://www.shop.example/", "https://other.example/"];

function createWorld(step: object = { hostAccess: true }) {
  const world = createHarness({
    pipeline: pipelineOf({
      inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
      steps: [{ name: "fetch", agent: "fetch", forEach: "inputs.items", egress: { item: true }, ...step }],
    }),
    spec: { inputs: { items: ITEMS }, tolerate: { failedItems: 2 } },
    answer: () => done(),
  });
  const granted: { readonly agent: AgentRef; readonly access: HostAccess }[] = [];
  const mintTokens: ReconcileDeps["mintTokens"] = async (_claims, _expiresAt, access) => {
    if (access) granted.push(access);
    return { token: "token", egressToken: "egress", ...(access ? { hostAccess: "sealed" } : {}) };
  };
  const reads: string[] = [];
  const hostAccess: ReconcileDeps["kube"]["hostAccess"] = async (namespace) => {
    reads.push(namespace);
    return world.deps.kube.hostAccess(namespace);
  };
  return {
    ...world,
    get status() {
      return world.status;
    },
    granted,
    reads,
    look: (over: Partial<ReconcileDeps> = {}) =>
      reconcileWorkload(REF, { ...world.deps, kube: { ...world.deps.kube, hostAccess }, mintTokens, ...over }),
    async start(): Promise<void> {
      await this.look();
      world.argo();
    },
  };
}

describe("what a step gets of its namespace", () => {
  test("is of its item's host, for its agent, and goes with the request alone", async () => {
    const world = createWorld();
    world.objects.hostAccess.set(REF.namespace, held());
    world.objects.hostAccess.set("somebody-elses", {
      "other.example": JSON.stringify({ headers: { "X-Key": "theirs" } }),
    });
    await world.start();
    await world.look();
    const access = { "shop.example": { headers: { "X-Key": SECRET } } };
    const agent = { namespace: "agentic-system", name: "fetch" };
    expect(world.granted).toEqual([expect.objectContaining({ access }), expect.objectContaining({ access })]);
    expect(world.granted[0]?.agent).toMatchObject(agent);
    expect(world.requests.map(({ input, hostAccess }) => [input.item, hostAccess])).toEqual(
      ITEMS.map((item) => [item, item.includes("shop") ? "sealed" : undefined]),
    );
    expect(new Set(world.reads)).toEqual(new Set([REF.namespace]));
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    const written = JSON.stringify([
      world.objects.workload,
      [...world.objects.workflows],
      world.requests,
      [...world.recordedRuns],
    ]);
    expect(written).not.toContain(SECRET);
  });

  test("is not read where no step asks for it, nor while nothing is to be requested", async () => {
    const asks = createWorld({});
    await asks.start();
    await asks.look();
    expect(asks.reads).toEqual([]);
    const world = createWorld();
    await world.start();
    expect(world.reads).toEqual([]);
    await world.look();
    expect(world.reads).toHaveLength(1);
    await world.look();
    expect(world.reads).toHaveLength(1);
  });

  test("is what is held when the request is sent, and no part of what the step is", async () => {
    const world = createWorld();
    world.objects.hostAccess.set(REF.namespace, held("first"));
    await world.start();
    const send = async (): Promise<never> => {
      throw new TerminalError("BrokerUnavailable", "the Broker is away");
    };
    await expect(world.look({ send })).rejects.toThrow("the Broker is away");
    world.objects.hostAccess.set(REF.namespace, held("second"));
    await world.look();
    expect(world.granted.map(({ access }) => access["shop.example"]?.headers?.["X-Key"])).toEqual([
      "first",
      "first",
      "second",
      "second",
    ]);
    expect(new Set(world.requests.map(({ input }) => JSON.stringify(input))).size).toBe(ITEMS.length);
  });

  test("that names a proxy is not used without, where the egress proxy cannot be told of it", async () => {
    const world = createWorld();
    world.objects.hostAccess.set(REF.namespace, { "shop.example": JSON.stringify({ proxy: "http://p.example" }) });
    await world.start();
    await world.look({ usesProxies: false });
    expect(world.requests.map(({ input }) => input.item)).toEqual(["https://other.example/"]);
    expect(JSON.stringify([...world.objects.workflows])).toContain("there is no EGRESS_ACCESS_KEY");
  });

  test("that is wrong fails the items of that host, says how, and holds up no other", async () => {
    const world = createWorld();
    world.objects.hostAccess.set(REF.namespace, { "shop.example": `{"headers":"${SECRET}"` });
    await world.start();
    await world.look();
    expect(world.requests.map(({ input }) => input.item)).toEqual(["https://other.example/"]);
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    const failed = JSON.stringify([...world.objects.workflows]);
    expect(failed).toContain("InvalidHostAccess");
    expect(failed).toContain(`Secret ${REF.namespace}/agentic-host-access: shop.example: is no JSON`);
    expect(failed).not.toContain(SECRET);
  });
});
