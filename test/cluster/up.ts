import { mkdirSync } from "node:fs";
import { build } from "./build/build.ts";
import { home } from "./context.ts";
import { importClusterImages } from "./images/import.ts";
import { kubectl } from "./kubectl.ts";
import { makeNetwork } from "./machine/network.ts";
import { installPackages } from "./machine/packages.ts";
import { isEngineListening, makePolicyRules } from "./machine/policy-rules.ts";
import { nodeName } from "./network.ts";
import { parts } from "./parts/all.ts";
import { containerd } from "./parts/containerd.ts";
import { apiserver } from "./parts/control-plane.ts";
import { kubelet } from "./parts/kubelet.ts";
import type { Part } from "./parts/part.ts";
import { type Addon, addons } from "./pods/addons.ts";
import { apply } from "./pods/apply.ts";
import { logOfDeployment, notReady } from "./pods/ready.ts";
import { logOf, pidOf, start } from "./processes.ts";
import { fail, say, tail } from "./say.ts";
import { until } from "./wait.ts";

/** Brings up what is not up, and waits until it is ready. */
export async function up(): Promise<void> {
  if (process.getuid?.() !== 0) fail("run this as root: it starts containers");
  const began = Date.now();
  await installPackages();
  await build();
  mkdirSync(home, { recursive: true, mode: 0o711 });
  await makeNetwork();
  const started = Date.now();
  // Two things go on beside the start of the parts: the images, and, once there is an API, what is to run in it.
  let images: Promise<string> | undefined;
  let applied: Promise<void> | undefined;
  for (const part of parts) {
    if (part === kubelet) await timed("images", async () => (await images) ?? "there");
    await timed(part.name, () => bringUp(part));
    if (part === containerd) images = inBackground(importClusterImages());
    if (part === apiserver) applied = inBackground(applyAddons());
  }
  await timed("node", async () => {
    const wait = ["wait", "--for=condition=Ready", `node/${nodeName}`];
    if (!(await until(async () => (await kubectl([...wait, "--timeout=60s"])) !== "", 90))) {
      fail(`the node is not ready; the end of the kubelet's log:\n${tail(logOf("kubelet"))}`);
    }
    return "ready";
  });
  await applied;
  await timed("network policies", enforcePolicies);
  for (const addon of addons) await timed(`pods of ${addon.name}`, () => podsReady(addon));
  say(`up after ${seconds(started)} (with builds ${seconds(began)}): export KUBECONFIG=${home}/kubeconfig`);
}

async function bringUp(part: Part): Promise<string> {
  const alive = pidOf(part.name) !== undefined;
  if (!alive) {
    await part.prepare?.();
    start(part.name, part.command, part.args);
  }
  let ready = false;
  await until(async () => {
    ready = await part.ready();
    return ready || pidOf(part.name) === undefined;
  }, 180);
  if (!ready || pidOf(part.name) === undefined) {
    fail(`${part.name} did not start; the end of ${logOf(part.name)}:\n${tail(logOf(part.name))}`);
  }
  return alive ? "was up" : "up";
}

async function applyAddons(): Promise<void> {
  for (const addon of addons) {
    await timed(`apply ${addon.name}`, async () => ((await apply(addon)) ? "applied" : "unchanged"));
  }
}

/** Its failure is told where it is awaited, not before. */
function inBackground<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}

/** The engine first: without it the rules drop what they hand it. */
async function enforcePolicies(): Promise<string> {
  if (!(await until(isEngineListening, 180)))
    fail("the policy engine does not listen: see the logs of kube-system/policy-engine");
  await makePolicyRules();
  return "enforced";
}

async function podsReady(addon: Addon): Promise<string> {
  let missing: string[] = [];
  const ready = await until(
    async () => {
      missing = await notReady(addon.waitFor);
      return missing.length === 0;
    },
    600,
    500,
  );
  if (!ready) {
    const first = missing[0] ?? addon.name;
    fail(`not ready: ${missing.join(", ")}; of ${first}:\n${await logOfDeployment(first)}`);
  }
  return "ready";
}

async function timed(what: string, work: () => Promise<string>): Promise<void> {
  const started = Date.now();
  const how = await work();
  say(`${what.padEnd(24)} ${how.padEnd(10)} ${seconds(started)}`);
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
