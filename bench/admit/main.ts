/**
 * What the admission webhook costs whoever applies a workload, on the test cluster (`make cluster deploy` first): `kubectl apply` of a
 * valid AgentWorkload to its answer, and the API server's part of that alone, while admit answers, while it is away, and without any
 * webhook. In turn, so that all meet the same noise. ROUNDS: how often (default 5); the workloads are suspended, and go again.
 */

import { connectKube } from "../../lib/edges/kube.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { deployToTestCluster } from "../../test/cluster/product/deploy.ts";
import { available } from "../../test/kubernetes/alone/deployments.ts";
import { kubeconfig, kubectl, list, until } from "../../test/kubernetes/cluster.ts";
import { example, freshNamespace, SYSTEM } from "../../test/kubernetes/workload.ts";
import { type Figure, quantile, report } from "../harness.ts";

const NAMESPACE = "bench-admit";
const WEBHOOK = "agentic-admit";
const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
/** In each round, of each kind. The first two warm connections and caches, and do not count. */
const [UNCOUNTED, COUNTED] = [2, 20];

const MODES = ["admit answers", "admit is away", "no webhook"] as const;
type Mode = (typeof MODES)[number];
/** ms of each apply. */
interface Times {
  readonly kubectl: number[];
  readonly api: number[];
}

const { workloads } = connectKube(kubeConfig({ file: kubeconfig }));
const webhook = JSON.parse(await kubectl(["get", "validatingwebhookconfiguration", WEBHOOK, "-o", "json"])) as {
  metadata: object;
};
const kept = JSON.stringify({ ...webhook, metadata: { name: WEBHOOK } });

async function enter(mode: Mode): Promise<void> {
  await kubectl(["delete", "validatingwebhookconfiguration", WEBHOOK, "--ignore-not-found"]);
  const replicas = mode === "admit answers" ? 1 : 0;
  await kubectl(["-n", SYSTEM, "scale", "deployment", "admit", `--replicas=${replicas}`]);
  if (replicas === 1) await available(SYSTEM, "admit");
  else
    await until(
      "admit to be gone",
      async () => (await list("pods", SYSTEM, "app.kubernetes.io/name=admit")).length === 0,
    );
  if (mode !== "no webhook") await kubectl(["create", "-f", "-"], kept);
  // The API server looks at its webhooks anew within a second.
  await until("the webhook to be as it is to be", async () => (mode === "admit answers") === (await refuses()), {
    every: 500,
  });
}

/** Whether an invalid workload is refused: then admit is asked, and answers. */
function refuses(): Promise<boolean> {
  const invalid = example(NAMESPACE, "invalid", { sites: ["http://10.0.0.7/"] });
  return kubectl(["create", "--dry-run=server", "-f", "-"], JSON.stringify(invalid)).then(
    () => false,
    (error: unknown) => String(error).includes("is a private address"),
  );
}

let made = 0;
async function measure(work: (name: string, object: object) => Promise<unknown>): Promise<number> {
  const name = `workload-${made++}`;
  const object = example(NAMESPACE, name, { suspend: true });
  const began = performance.now();
  await work(name, object);
  return performance.now() - began;
}

async function once(into: Times): Promise<void> {
  for (let time = 0; time < UNCOUNTED + COUNTED; time++) {
    const byKubectl = await measure((_name, object) => kubectl(["apply", "-f", "-"], JSON.stringify(object)));
    const byApi = await measure((_name, object) => workloads.create(NAMESPACE, object));
    if (time < UNCOUNTED) continue;
    into.kubectl.push(byKubectl);
    into.api.push(byApi);
  }
  await kubectl(["-n", NAMESPACE, "delete", "agentworkload", "--all", "--timeout=300s"]);
}

const times = new Map<Mode, Times>(MODES.map((mode) => [mode, { kubectl: [], api: [] }]));
await freshNamespace(NAMESPACE);
try {
  for (let round = 0; round < ROUNDS; round++)
    for (const mode of MODES) {
      await enter(mode);
      const into = times.get(mode);
      if (into) await once(into);
      console.log(`round ${round + 1} of ${ROUNDS}, ${mode}`);
    }
} finally {
  await kubectl(["delete", "validatingwebhookconfiguration", WEBHOOK, "--ignore-not-found"]);
  await kubectl(["create", "-f", "-"], kept);
  await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  await deployToTestCluster(console.log);
  const of = (mode: Mode, how: keyof Times, at: number): number => quantile(times.get(mode)?.[how] ?? [], at);
  const WAYS = { kubectl: "kubectl apply to its answer", api: "the API server alone" } as const;
  const figures = (["kubectl", "api"] as const).flatMap((how): Figure[] => [
    ...MODES.flatMap((mode): Figure[] => [
      { figure: `${WAYS[how]}, ${mode}: median`, value: of(mode, how, 0.5), unit: "ms" },
      { figure: `${WAYS[how]}, ${mode}: p99`, value: of(mode, how, 0.99), unit: "ms" },
    ]),
    ...MODES.slice(0, 2).map(
      (mode): Figure => ({
        figure: `${WAYS[how]}, ${mode}: median over that without a webhook`,
        value: of(mode, how, 0.5) / of("no webhook", how, 0.5),
        unit: "×",
      }),
    ),
  ]);
  report("admit", figures);
}
