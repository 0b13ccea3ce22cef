import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LICENCE_SECRET } from "../../../lib/licence/standing.ts";
import { createAgents, deleteAgents } from "../agents.ts";
import { apply, get, kubeconfig, kubectl, until } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { pipeline, run, testAgent } from "../tenant.ts";
import { condition, decide, SYSTEM, untilPhase, untilSaid, workflowOf, workload } from "../workload.ts";
import { available } from "./deployments.ts";
import { resyncForFile, SOON } from "./resync.ts";

// An installation with a licence of an issuer of its own, which expires and is renewed while the product runs.

const { name: SECRET, key: KEY } = LICENCE_SECRET;
const program = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname;
const node = (path: string, ...args: string[]) => promisify(execFile)(process.execPath, [program(path), ...args]);

const DAY_MS = 24 * 3_600_000;
const day = (from: number): string => new Date(Date.now() + from * DAY_MS).toISOString().slice(0, 10);

resyncForFile(SOON);

let folder: string;
const key = (): string => join(folder, "issuer.jwk");

/** The kubelet brings it to the pods, as a file that is replaced. */
async function give(from: number, to: number): Promise<void> {
  const terms = ["--customer", "Tests", "--plan", "test", "--from", day(from), "--until", day(to), "--grace", "3"];
  const { stdout } = await node("scripts/issue-licence.ts", "--key", key(), ...terms);
  await apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: SYSTEM, name: SECRET },
    data: { [KEY]: Buffer.from(stdout).toString("base64") },
  });
}

const setKeys = (keys: string) =>
  kubectl([
    ...["-n", SYSTEM, "patch", "configmap", "agentic-settings", "--type=merge"],
    ...["-p", JSON.stringify({ data: { LICENCE_KEYS: keys } })],
  ]);

/** They read their settings when they start. */
async function restart(): Promise<void> {
  await kubectl(["-n", SYSTEM, "delete", "pod", "-l", "serving.knative.dev/service=reconcile", "--wait=false"]);
  await kubectl(["-n", SYSTEM, "rollout", "restart", "deployment/admit"]);
  await available(SYSTEM, "admit");
}

const licensed = (name: string, reason: string) =>
  until(
    `${name} to be told ${reason}`,
    async () => {
      const object = await workload(TENANT, name);
      const said = object && condition(object, "Licensed");
      return said?.reason === reason ? said : undefined;
    },
    { ms: 300_000, every: 2000, seen: async () => (await workload(TENANT, name))?.status?.conditions },
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-licence-"));
  const { stdout } = await node("scripts/issue-licence.ts", "--new-key", key());
  await writeFile(join(folder, "keys.json"), stdout);
  await give(-60, 20);
  await setKeys(await readFile(join(folder, "keys.json"), "utf8"));
  await createAgents(await testAgent("licensed"));
  const steps = [
    { name: "find", agent: "licensed" },
    { name: "ask", gate: {}, after: ["find"] },
    { name: "write", agent: "licensed", after: ["ask"] },
  ];
  await apply(pipeline("licensed", { steps }));
  await restart();
});
afterAll(async () => {
  await kubectl(["-n", SYSTEM, "delete", "secret", SECRET, "--ignore-not-found"]);
  await setKeys("");
  await restart();
  await deleteAgents(TENANT);
  await rm(folder, { recursive: true, force: true });
});

test("a licence that ends, expires and is renewed: what has begun goes on, what is new waits and then starts", async () => {
  await apply(run("begun", { pipeline: "licensed" }));
  await untilPhase(TENANT, "begun", "AwaitingReview");
  expect(await licensed("begun", "LicenceEndsSoon")).toMatchObject({ status: "True" });

  await give(-60, -10);
  expect(await licensed("begun", "LicenceExpired")).toMatchObject({ status: "False" });
  await apply(run("new", { pipeline: "licensed" }));
  const { message } = await untilSaid(TENANT, "new", "LicenceExpired");
  expect(message).toMatch(
    /^The licence of Tests \(plan test\) expired on .*, and its 3 days of grace ended on .*: no new run starts/,
  );
  expect(await workflowOf(TENANT, "new")).toBeUndefined();
  const dryRun = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--warnings-as-errors", "-f", "-"];
  await until("admission to warn of it", async () =>
    kubectl(dryRun, JSON.stringify(run("newer", { pipeline: "licensed" }))).then(
      () => undefined,
      (error: unknown) => /will wait: The licence of Tests/.test(String(error)) || undefined,
    ),
  );
  const shown = await node("cli/kubectl-agentic.ts", "licence", "--kubeconfig", kubeconfig, "-o", "json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    licence: { sub: "Tests", grace: 3 },
    usage: { waiting: 1 },
    notice: { reason: "LicenceExpired" },
  });

  await decide(TENANT, "begun", "approved", { gate: "ask" });
  const done = await untilPhase(TENANT, "begun", "Succeeded");
  expect(done.status.steps).toMatchObject([{ succeeded: 1 }, { succeeded: 1 }, { succeeded: 1 }]);
  expect((await workload(TENANT, "new"))?.status.phase).toBe("Pending");

  await give(-60, 400);
  await untilPhase(TENANT, "new", "AwaitingReview");
  expect(condition((await workload(TENANT, "new")) ?? done, "Licensed")).toBeUndefined();
  const usage = await get("configmaps", SYSTEM, "agentic-usage");
  expect(JSON.parse(usage?.["data"].accounts).latest).toMatch(/^\d{4}-/);
});
