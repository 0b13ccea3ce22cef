import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KINDS } from "../../../crd/kinds.ts";
import { allSecretNames, SECRET_NAMES } from "../../../functions/setup/secrets.ts";
import { isFor } from "../../../scripts/deploy/deploy.ts";
import { productManifests } from "../../../scripts/deploy/manifests.ts";
import { untilReady } from "../../../scripts/deploy/ready.ts";
import { BUILD_MS, built } from "../../cluster/built.ts";
import { kubeconfig } from "../../cluster/context.ts";
import { buildTestImages } from "../../cluster/images/build.ts";
import { profilesFolder, volumes } from "../../cluster/product/deploy.ts";
import { CHART, helm } from "../../helm.ts";
import { apply, get, kubectl, list, until } from "../cluster.ts";

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
      !/^(events|leases|pods|replicasets|endpoints|endpointslices|controllerrevisions|revisions|apiservices|podautoscalers|images|metrics)\b/.test(
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
  const ready = (kinds: (kind: string) => boolean) =>
    untilReady(
      kubectl,
      wanted.filter(({ kind }) => kinds(kind)),
      NAMESPACE,
      { timeoutMs: 120_000, say: () => undefined },
    );
  await ready((kind) => kind !== "Agent");
  // What was made before the sources listened is looked at with the next resync, two minutes later, or now.
  await kubectl(["-n", NAMESPACE, "annotate", "agents", "--all", "test=now"]);
  await ready((kind) => kind === "Agent");
  const labels = await kubectl(["get", "namespace", NAMESPACE, "-o", "jsonpath={.metadata.labels}"]);
  expect(labels).toContain('"pod-security.kubernetes.io/enforce":"restricted"');
});

test("helm test: the pre-flight check finds everything", async () => {
  await inCluster("test", "agentic", "--timeout", "1m");
  const said = await kubectl(["-n", NAMESPACE, "logs", "doctor"]);
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
  // What admit wrote into an object of the release.
  const trust = "jsonpath={.webhooks[0].clientConfig.caBundle}";
  expect(await kubectl(["get", "validatingwebhookconfiguration", "agentic-admit", "-o", trust])).not.toBe("");
});

/** In a namespace that is there. */
const OF_NAMESPACE = [
  "ConfigMap agentic-system/kube-root-ca.crt",
  "Namespace /agentic-system",
  "ServiceAccount agentic-system/default",
];

test("uninstall: what is left is what nobody can make again, and goes as the docs say", async () => {
  await inCluster("uninstall", "agentic", "--wait", "--timeout", "3m");
  // What was used of the licence is kept, from when reconcile first wrote it down.
  const isUsage = (one: string) => one.startsWith("ConfigMap agentic-system/agentic-usage");
  const left = async () => [...(await everything())].filter((one) => !before.has(one) && !isUsage(one)).toSorted();
  const kept = [
    ...OF_NAMESPACE,
    ...allSecretNames(SECRET_NAMES).map((name) => `Secret agentic-system/${name}`),
    ...KINDS.map(({ plural }) => `CustomResourceDefinition /${plural}.agentic.dev`),
    "PersistentVolumeClaim agentic-system/store",
    ...volumes().map(({ metadata }) => `PersistentVolume /${metadata.name}`),
  ].toSorted();
  // What Knative made of it goes a moment later.
  let seen: string[] = [];
  await until(
    "the rest to go",
    async () => {
      seen = await left();
      return seen.join() === kept.join();
    },
    { ms: 60_000, every: 2000 },
  ).catch(() => expect(seen).toEqual(kept));
  await removeAll();
  expect(await left()).toEqual([]);
});
