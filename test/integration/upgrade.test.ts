import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudEvent } from "cloudevents";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { WorkloadStatus } from "../../crd/agentworkload.ts";
import { KINDS } from "../../crd/kinds.ts";
import type { StructuralSchema } from "../../crd/structural.ts";
import { sealedArgoEngine } from "../../functions/reconcile/argo/seal.ts";
import { type ObserveDeps, observe } from "../../functions/reconcile/workload/observe.ts";
import { plan } from "../../functions/reconcile/workload/plan.ts";
import { statusOf } from "../../functions/reconcile/workload/status.ts";
import { createCarryCorrections } from "../../lib/durable/carried-corrections.ts";
import { createFindPrevious } from "../../lib/durable/previous-results.ts";
import { readStates } from "../../lib/durable/requests.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { type KindClient, type KubeObject, objectSchema } from "../../lib/edges/kube.ts";
import { verifyEvidence } from "../../lib/evidence.ts";
import { publicKeys } from "../../lib/keys.ts";
import { readLicence } from "../../lib/licence/licence.ts";
import { parseAccounts } from "../../lib/quota/accounts.ts";
import { parseStepRequested, STEP_REQUESTED } from "../../lib/step-events.ts";
import { createStepTokenVerifier } from "../../lib/token.ts";
import { readFixture, unpackFolder, versions } from "../upgrade/fixture.ts";
import { narrowed } from "../upgrade/narrowed.ts";
import type { RecordedCluster } from "../upgrade/record-cluster.ts";
import type { RecordedLicence } from "../upgrade/record-local.ts";
import { redisForFile } from "./redis.ts";

// What a released version left in a cluster, and the code of today: it goes on where that stopped, and begins nothing anew.

const readCrd = (file: string) => readFileSync(join(import.meta.dirname, "../../crd", file), "utf8");

const own = redisForFile();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-upgrade-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(versions)("what %s left in a cluster", (version) => {
  const recorded = readFixture<RecordedCluster>(version, "cluster");
  const now = new Date(recorded.at);
  const objects = recorded.objects.map((object) => objectSchema.parse(object));
  const ofKind = (kind: string): KubeObject[] => objects.filter((object) => object["kind"] === kind);
  const workloads = ofKind("AgentWorkload");

  const artifacts = () => createFolderArtifacts(join(folder, version));
  const engine = sealedArgoEngine(
    createPrivateKey(recorded.keys["REVIEW_LINK_PRIVATE_KEY"] ?? ""),
    publicKeys("REVIEW_LINK_PUBLIC_KEY", recorded.keys["REVIEW_LINK_PUBLIC_KEY"]),
  );

  beforeAll(async () => {
    unpackFolder(recorded.bytes, join(folder, version));
    await own.redis.flushall();
    for (const [command = "", ...args] of recorded.redis) await own.redis.call(command, ...args);
  });

  /** Only reads: whoever writes here fails. */
  function clientOf(kind: string): KindClient {
    const all = ofKind(kind);
    const named = ({ namespace, name }: { namespace: string; name: string }) =>
      all.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    return {
      get: async (ref) => named(ref),
      list: async ({ labelSelector }) => {
        const [label = "", value] = (labelSelector ?? "").split("=");
        return all.filter(({ metadata }) => labelSelector === undefined || metadata.labels[label] === value);
      },
    } as KindClient;
  }

  function observeDeps(): ObserveDeps {
    const results = createResultStore(artifacts());
    const kube = {
      workloads: clientOf("AgentWorkload"),
      workflows: clientOf("Workflow"),
      pipelines: clientOf("AgentPipeline"),
      agents: clientOf("Agent"),
      decisions: clientOf("AgentDecision"),
    };
    return {
      kube: kube as unknown as ObserveDeps["kube"],
      engine,
      artifacts: artifacts(),
      results,
      findPrevious: createFindPrevious(artifacts(), results),
      carryCorrections: createCarryCorrections(artifacts()),
      readStates: (identities) => readStates(own.redis, identities),
      usesProxies: false,
      now: () => now,
    };
  }

  test("has a workload in each phase that lasts", () => {
    const phases = workloads.map(({ status }) => (status as WorkloadStatus).phase);
    expect(new Set(phases)).toEqual(
      new Set(["Pending", "Running", "AwaitingReview", "Suspended", "Succeeded", "Rejected", "Failed"]),
    );
    expect((recorded.creating.status as WorkloadStatus).phase).toBe("Creating");
  });

  test.each(workloads.map((object) => [object.metadata.name, object] as const))(
    "workload %s: its run is found again, nothing is begun, and its status stays",
    async (_name, object) => {
      const observed = await observe(object.metadata, observeDeps());
      if (!observed) throw new Error("not observed");
      const before = object.status as WorkloadStatus;
      expect(observed.spec.state === "refused" ? observed.spec.reason : "accepted").toBe(
        before.phase === "Pending" ? before.conditions?.[0]?.reason : "accepted",
      );
      expect(observed.runObject?.name).toBe(before.workflow);
      expect(plan(observed, engine, now)).toEqual([]);
      const { traceUrl: _url, reviews, ...kept } = before;
      const after = statusOf(observed, { costOfApproving: () => undefined, engine, now });
      expect(after).toMatchObject(kept);
      expect(after.reviews?.map(({ costOfApproving: _cost, ...review }) => review)).toEqual(
        reviews?.map(({ costOfApproving: _cost, ...review }) => review),
      );
    },
  );

  test("a run whose Workflow was being made gets that one, by its name", async () => {
    const creating = objectSchema.parse(recorded.creating);
    const made = ofKind("Workflow").filter(
      ({ metadata }) => metadata.labels[engine.workloadLabel] === creating.metadata.name,
    );
    expect(made.map(({ metadata }) => metadata.name)).toEqual([(creating.status as WorkloadStatus).workflow]);
  });

  test("requests: each is read, its id is that of its content, and its token holds", async () => {
    const requests = recorded.events
      .map((event) => new CloudEvent<unknown>(event))
      .filter(({ type }) => type === STEP_REQUESTED);
    expect(requests.length).toBeGreaterThan(10);
    const verify = createStepTokenVerifier(
      publicKeys("STEP_TOKEN_PUBLIC_KEY", recorded.keys["STEP_TOKEN_PUBLIC_KEY"]),
      {
        evenExpired: true,
      },
    );
    for (const event of requests) {
      const { identity, request } = parseStepRequested(event);
      expect(await verify(request.token)).toMatchObject({ jti: identity, sub: request.workload.uid, run: request.run });
    }
  });

  test("every other object of ours is read", () => {
    for (const { kind, schema } of KINDS) {
      const found = ofKind(kind);
      expect([kind, found.length > 0]).toEqual([kind, true]);
      for (const object of found) expect([kind, schema.safeParse(object).error?.issues ?? []]).toEqual([kind, []]);
    }
  });

  test("accounts of quotas are read", () => {
    const all = Object.values(recorded.accounts);
    expect(all.length).toBeGreaterThan(0);
    for (const { accounts = "" } of all) expect(parseAccounts(accounts, "the fixture").spent).toBeGreaterThan(0);
  });

  test("evidence holds", async () => {
    const ended = workloads.filter(({ status }) => (status as WorkloadStatus).evidence);
    expect(ended.length).toBeGreaterThan(1);
    for (const { metadata, status } of ended) {
      const bytes = await artifacts().get(metadata, (status as WorkloadStatus).evidence ?? "");
      const key = createPrivateKey(recorded.keys["EVIDENCE_PRIVATE_KEY"] ?? "");
      expect(await verifyEvidence(new TextDecoder().decode(bytes), key)).toHaveProperty("evidence");
    }
  });

  test.each(KINDS.map(({ kind }) => kind))(
    "the CRD of %s still has all of its fields, and takes what was valid",
    (kind) => {
      const file = `${kind.toLowerCase()}.yaml`;
      const before = parse(recorded.crds[file] ?? "");
      const today = parse(readCrd(file));
      for (const { name, schema } of before.spec.versions as Version[]) {
        const same = (today.spec.versions as Version[]).find((one) => one.name === name);
        expect(narrowed(schema.openAPIV3Schema, same?.schema.openAPIV3Schema)).toEqual([]);
      }
    },
  );

  test("the licence counts", async () => {
    const { token, keys } = readFixture<RecordedLicence>(version, "licence");
    expect(await readLicence(token, keys)).toMatchObject({ sub: "A customer", limits: { workloadsAtOnce: 50 } });
  });
});

interface Version {
  readonly name: string;
  readonly schema: { readonly openAPIV3Schema: StructuralSchema };
}
