import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectBrowser } from "../../../lib/edges/browser.ts";
import { poolEndpoint } from "../../../lib/edges/browser-pool.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { type Manifest, productManifests } from "../../../scripts/deploy/manifests.ts";
import { startKeda, stopKeda } from "../../cluster/pods/on-demand.ts";
import { apply, get, type KubeObject, kubectl, list, until } from "../cluster.ts";
import { forwardPort } from "../port-forward.ts";
import { SYSTEM } from "../workload.ts";
import { available } from "./deployments.ts";

// KEDA and the HorizontalPodAutoscaler as config/ has them, over sessions that the product's own client opens. They go to any ready pod,
// as a Service's connections do, from here by a port that leads to that pod.

const EGRESS = `http://egress.${SYSTEM}.svc.cluster.local:3128`;
const PORT = 3000;
/** How long fewer sessions must last until a pod goes; five minutes in config/. */
const WINDOW_S = 15;
const { KUBECONFIG } = process.env;

const scaling = productManifests().filter(({ apiVersion }) => apiVersion.startsWith("keda.sh/"));

function quicker(manifest: Manifest): Manifest {
  if (manifest.kind !== "ScaledObject") return manifest;
  const copy = structuredClone(manifest);
  // biome-ignore lint/suspicious/noExplicitAny: one number of an object as its file has it.
  const spec = copy["spec"] as any;
  spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds = WINDOW_S;
  return copy;
}

let token: string;

beforeAll(async () => {
  if (!KUBECONFIG) await startKeda();
  else if (!(await kubectl(["get", "crd", "scaledobjects.keda.sh", "--ignore-not-found"])))
    throw new Error("there is no KEDA here: docs/deploy.md, Tests against your cluster, says what these tests need");
  token = Buffer.from((await get("secrets", SYSTEM, "agentic-browser"))?.["data"].token, "base64").toString();
  await apply(...scaling.map(quicker));
  await kubectl(["-n", SYSTEM, "wait", "--for=condition=Ready", "scaledobject/browserless", "--timeout=60s"]);
});

const leaving = new AbortController();

afterAll(async () => {
  leaving.abort();
  if (KUBECONFIG) return apply(...scaling);
  const kinds = "scaledobjects.keda.sh,triggerauthentications.keda.sh";
  await kubectl(["-n", SYSTEM, "delete", kinds, "browserless", "--ignore-not-found", "--timeout=60s"]);
  await stopKeda();
  await available(SYSTEM, "browserless");
});

const pods = () => list("pods", SYSTEM, "app.kubernetes.io/name=browserless");
const nameOf = ({ metadata }: KubeObject): string => metadata.name;
const isGoing = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;
const isReady = (pod: KubeObject): boolean => !isGoing(pod) && pod.status?.containerStatuses?.[0]?.ready === true;

const addresses = new Map<string, Promise<string>>();
function addressOf(pod: string): Promise<string> {
  const known = addresses.get(pod) ?? forwardPort({ namespace: SYSTEM, pod }, PORT);
  addresses.set(pod, known);
  return known;
}

async function pressureOf(pod: string): Promise<{ running: number; queued: number; maxConcurrent: number }> {
  const headers = { authorization: `Bearer ${token}`, connection: "close" };
  const answer = await fetch(`http://${await addressOf(pod)}/pressure`, { headers });
  return ((await answer.json()) as { pressure: Awaited<ReturnType<typeof pressureOf>> }).pressure;
}

/** A page that stays open until `end`. */
class Session {
  pod = "";
  page: Page | undefined;
  readonly #over = Promise.withResolvers<void>();
  readonly #browser = connectBrowser(async () => {
    const ready = (await pods()).filter(isReady).map(nameOf);
    this.pod = ready[Math.floor(Math.random() * ready.length)] ?? "";
    return poolEndpoint(`ws://${await addressOf(this.pod)}/chromium?token=${token}`, EGRESS);
  });
  /** What its page said in the end. @throws RetryableError where it was cut */
  readonly done = this.#visit().finally(() => this.#browser.close());

  /** As its step is delivered again while there is no browser for it. */
  async #visit(): Promise<string> {
    for (;;)
      try {
        return await this.#browser.withContext({}, leaving.signal, async (context) => {
          const page = await context.newPage();
          await page.setContent("<title>still here</title>");
          this.page = page;
          await this.#over.promise;
          return page.title();
        });
      } catch (error) {
        if (this.page || !(error instanceof RetryableError)) throw error;
      }
  }

  async end(): Promise<string> {
    this.#over.resolve();
    return this.done;
  }
}

test("sessions that find no place bring a second pod, which takes them; it goes when they have ended, and cuts none", async () => {
  const began = Date.now();
  const tell = (what: string) => console.log(`pool: ${what} after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const [first = ""] = await until("one pod with no session", async () => {
    const names = (await pods()).map(nameOf);
    return names.length === 1 && (await pressureOf(names[0] ?? "")).running === 0 && names;
  });
  const { maxConcurrent } = await pressureOf(first);
  const sessions = Array.from({ length: maxConcurrent + 2 }, () => new Session());
  for (const { done } of sessions) done.catch(() => undefined);

  await until("a full pod, and a queue", async () => {
    const { running, queued } = await pressureOf(first);
    return running === maxConcurrent && queued >= 2;
  });
  tell("the pod was full");
  const second = await until("a second pod", async () => {
    const other = (await pods()).filter(isReady).find((pod) => nameOf(pod) !== first);
    return other && nameOf(other);
  });
  tell("a second one was ready");
  await until("a place for everybody", async () => sessions.every(({ page }) => page !== undefined));
  tell("all had a place");
  expect((await pressureOf(first)).running).toBe(maxConcurrent);
  expect((await pressureOf(second)).running).toBe(2);

  // One in each: whichever pod is chosen, a session runs in it.
  const kept = [first, second].map((pod) => sessions.find((session) => session.pod === pod));
  for (const session of sessions) if (!kept.includes(session)) expect(await session.end()).toBe("still here");
  const going = nameOf(await until("a pod to be told to go", async () => (await pods()).find(isGoing)));
  tell("one was told to go");
  // Longer than it waits at least.
  await sleep(12_000);
  for (const session of kept) expect(await session?.page?.title()).toBe("still here");
  expect((await pods()).map(nameOf)).toContain(going);

  for (const session of kept) expect(await session?.end()).toBe("still here");
  await until("it to be gone", async () => !(await pods()).some((pod) => nameOf(pod) === going), { ms: 60_000 });
  tell("one pod was left");
  expect((await pods()).filter(isReady)).toHaveLength(1);
});
