import { mkdirSync } from "node:fs";
import { build } from "./build/build.ts";
import { home } from "./context.ts";
import { importClusterImages } from "./images/import.ts";
import { kubectl } from "./kubectl.ts";
import { makeNetwork } from "./machine/network.ts";
import { installPackages } from "./machine/packages.ts";
import { nodeName } from "./network.ts";
import { parts } from "./parts/all.ts";
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
  let images = Promise.resolve(0);
  for (const part of parts) {
    if (part.name === "kubelet") {
      await timed("images", async () => ((await images) > 0 ? "imported" : "there"));
    }
    await timed(part.name, () => bringUp(part));
    if (part.name === "containerd") {
      images = importClusterImages();
      images.catch(() => {}); // told where it is awaited
    }
  }
  await timed("node", async () => {
    const wait = ["wait", "--for=condition=Ready", `node/${nodeName}`];
    if (!(await until(async () => (await kubectl([...wait, "--timeout=60s"])) !== "", 90))) {
      fail(`the node is not ready; the end of the kubelet's log:\n${tail(logOf("kubelet"))}`);
    }
    return "ready";
  });
  const changed = new Map<Addon, boolean>();
  for (const addon of addons) {
    await timed(`apply ${addon.name}`, async () => {
      changed.set(addon, await apply(addon));
      return changed.get(addon) ? "applied" : "unchanged";
    });
  }
  for (const addon of addons) await timed(`pods of ${addon.name}`, () => podsReady(addon));
  say(`up after ${seconds(started)} (with builds ${seconds(began)}): export KUBECONFIG=${home}/kubeconfig`);
}

async function bringUp(part: Part): Promise<string> {
  const alive = pidOf(part.name) !== undefined;
  if (!alive) {
    await part.prepare?.();
    start(part.name, part.command, part.args);
  }
  const ready = await until(async () => {
    if (pidOf(part.name) === undefined) throw new Error("gone");
    return part.ready();
  }, 180);
  if (!ready) fail(`${part.name} did not start; the end of ${logOf(part.name)}:\n${tail(logOf(part.name))}`);
  return alive ? "was up" : "up";
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
