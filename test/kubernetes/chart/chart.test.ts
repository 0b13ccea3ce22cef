import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isFor } from "../../../scripts/deploy/deploy.ts";
import { productManifests } from "../../../scripts/deploy/manifests.ts";
import { untilReady } from "../../../scripts/deploy/ready.ts";
import { BUILD_MS, built } from "../../cluster/built.ts";
import { kubeconfig } from "../../cluster/context.ts";
import { buildTestImages } from "../../cluster/images/build.ts";
import { profilesFolder, volumes } from "../../cluster/product/deploy.ts";
import { CHART, helm } from "../../helm.ts";
import { apply, get, kubectl, list } from "../cluster.ts";

// The chart on a cluster that has Argo and Knative and nothing of ours, and what is left of it when it has gone.

const NAMESPACE = "agentic-system";
const MAIN = join(import.meta.dirname, "../../cluster/main.ts");
const inCluster = (...args: string[]) => helm([...args, "-n", NAMESPACE, "--kubeconfig", kubeconfig]);

/** Images of this tree, where the chart names those of a registry. */
let values: string[] = [];
let before: Set<string>;

beforeAll(async () => {
  await built("helm");
  if ((await kubectl(["get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name"])) !== "")
    for (const command of ["down", "up"]) spawnSync(process.execPath, [MAIN, command], { stdio: "inherit" });
  const { functions, redis, store, browser, litellm } = await buildTestImages([
    "functions",
    "redis",
    "store",
    "browser",
    "litellm",
  ]);
  const images = {
    image: functions,
    "redis.image": redis,
    "store.image": store,
    "browserless.image": browser,
    "litellm.image": litellm,
  };
  values = [
    ...Object.entries(images).flatMap(([value, image]) => {
      const [, repository, tag] = /^(.*):([^:]+)$/.exec(image) ?? [];
      return [`${value}.repository=${repository}`, `${value}.tag=${tag}`];
    }),
    `seccomp.kubeletFolder=${profilesFolder}`,
  ].flatMap((value) => ["--set-string", value]);
  before = await everything();
}, BUILD_MS);

afterAll(async () => {
  await removeAll();
});

/** As docs/install.md says, and the volumes, which no provisioner takes back here. */
async function removeAll(): Promise<void> {
  await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
  await kubectl(["delete", "-f", join(CHART, "crds"), "--ignore-not-found"]);
  await kubectl([
    "delete",
    "persistentvolume",
    ...volumes().map(({ metadata }) => metadata.name),
    "--ignore-not-found",
  ]);
}

/** Objects of the cluster, but those that come and go by themselves. */
async function everything(): Promise<Set<string>> {
  const kinds = (await kubectl(["api-resources", "--verbs=list,delete", "-o", "name"])).trim().split("\n");
  const listed = kinds.filter(
    (kind) =>
      !/^(events|leases|pods|replicasets|endpoints|endpointslices|controllerrevisions|revisions|podautoscalers|images|metrics)\b/.test(
        kind,
      ),
  );
  const template = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  const text = await kubectl(["get", listed.join(","), "-A", "-o", `jsonpath=${template}`]);
  return new Set(text.trim().split("\n"));
}

const versionOf = async (name: string) => (await get("secrets", NAMESPACE, name))?.metadata.resourceVersion;

test("install: from nothing to ready", async () => {
  await apply(...volumes());
  await inCluster("install", "agentic", CHART, "--create-namespace", ...values, "--wait", "--timeout", "4m");
  const wanted = productManifests().filter((manifest) => isFor({ authenticated: true, scaled: false }, manifest));
  await untilReady(kubectl, wanted, NAMESPACE, { timeoutMs: 120_000, say: () => undefined });
  const labels = await kubectl(["get", "namespace", NAMESPACE, "-o", "jsonpath={.metadata.labels}"]);
  expect(labels).toContain('"pod-security.kubernetes.io/enforce":"restricted"');
});

test("helm test: the pre-flight check finds everything", async () => {
  const said = await inCluster("test", "agentic", "--logs", "--timeout", "1m");
  expect(said).toMatch(/Phase:\s+Succeeded/);
  expect(said).toMatch(/ok\s+agentic-system\s+all of it is ready/);
  expect(said).not.toMatch(/^missing/m);
});

test("upgrade: a changed value arrives, Secrets stay, what was lost comes back, our kinds are this version's", async () => {
  const [signing, agent] = [await versionOf("agentic-signing-keys"), await get("secrets", NAMESPACE, "agentic-agent")];
  await kubectl(["-n", NAMESPACE, "delete", "secret", "agentic-agent"]);
  await kubectl([
    "patch",
    "crd",
    "agentworkloads.agentic.dev",
    "--type=json",
    "-p",
    '[{"op":"remove","path":"/spec/names/shortNames"}]',
  ]);
  const egress = async () =>
    (await list("pods", NAMESPACE, "app.kubernetes.io/name=egress")).map(({ metadata }) => metadata.uid);
  const first = await egress();
  await inCluster(
    "upgrade",
    "agentic",
    CHART,
    ...values,
    "--set",
    "settings.LOG_LEVEL=debug",
    "--wait",
    "--timeout",
    "3m",
  );
  expect(await versionOf("agentic-signing-keys")).toBe(signing);
  expect((await get("secrets", NAMESPACE, "agentic-agent"))?.["data"]).toEqual(agent?.["data"]);
  expect(await kubectl(["get", "crd", "agentworkloads.agentic.dev", "-o", "jsonpath={.spec.names.shortNames}"])).toBe(
    '["aw"]',
  );
  expect((await get("configmaps", NAMESPACE, "agentic-settings"))?.["data"]).toMatchObject({ LOG_LEVEL: "debug" });
  expect(await egress()).not.toEqual(first);
});

test("uninstall: what is left is what nobody can make again, and goes as the docs say", async () => {
  await inCluster("uninstall", "agentic", "--wait", "--timeout", "3m");
  const left = async () => [...(await everything())].filter((one) => !before.has(one)).toSorted();
  expect(await left()).toEqual([]);
  await removeAll();
  expect(await left()).toEqual([]);
});
