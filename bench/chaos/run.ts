import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { connectKube } from "../../lib/edges/kube.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { apply, ask, type KubeObject, kubeconfig, kubectl } from "../../test/kubernetes/cluster.ts";
import type { Fault, Strike } from "../../test/kubernetes/verification/faults.ts";
import { SYSTEM, workload } from "../../test/kubernetes/workload.ts";
import { watchProgress } from "./progress.ts";

/** A run that makes no progress for so long is lost. */
const LOST_MS = 600_000;
/** An answer of the provider is on the wire, or not yet durable, when one of these dies so soon after it was asked. */
const ON_THE_WIRE_MS = 3000;
const CARRIES_ANSWERS = /^(analyze|litellm|redis) /;

export interface ChaosRun {
  readonly phase: string;
  readonly seconds: number;
  /** From each kill until the next node was settled, in s; the last one of a run may have none. */
  readonly pauses: readonly number[];
  readonly struck: readonly string[];
  /** Nodes that were settled, and were open or settled otherwise later; pages that a model was asked about after their node had ended. */
  readonly repeated: readonly string[];
  /** Model calls for a page that was answered before, with its answer on the wire at a kill, and otherwise. */
  readonly cutCalls: number;
  readonly callsTwice: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
}

interface Example {
  readonly spec: { readonly inputs: { readonly sites: readonly string[] } };
}
const FILE = new URL("../../examples/market-analysis-50.yaml", import.meta.url);

const { workloads } = connectKube(kubeConfig({ file: kubeconfig }));

/** The fifty pages from apply to the report, approved at once, while the strikes fall. @throws Error where the cluster cannot be used */
export async function runFifty(namespace: string, name: string, strikes: Iterator<Strike>): Promise<ChaosRun> {
  const example = parse(readFileSync(FILE, "utf8")) as Example;
  // The provider's log goes on from bench to bench.
  const objective = `What do these pages promise? ${name}, ${Date.now()}`;
  const inputs = { ...example.spec.inputs, objective };
  // Kills are no failures of a step, and what they take is measured, not ended by a deadline.
  const spec = { ...example.spec, inputs, retry: { limit: 20 }, deadlines: { item: "1h", run: "2h" } };
  const progress = await watchProgress(kubeconfig, namespace);
  const begun = Date.now();
  await apply({ ...example, metadata: { namespace, name }, spec });
  const struck: { readonly name: string; readonly from: number; readonly at: number }[] = [];
  let object: KubeObject | undefined;
  const isOver = (): boolean => object?.status?.finishedAt !== undefined || isLost();
  const isLost = (): boolean => Date.now() - (progress.settledAt.at(-1) ?? begun) > LOST_MS;

  async function strikeOn(): Promise<void> {
    while (!isOver()) {
      const next = strikes.next();
      if (next.done) return;
      await sleep(next.value.pause);
      // On a busy machine a strike takes seconds, and falls at some time in them.
      const from = Date.now();
      if (!isOver() && (await hits(next.value.fault)))
        struck.push({ name: next.value.fault.name, from, at: Date.now() });
    }
  }
  async function lookOn(): Promise<void> {
    while (!isOver()) {
      await sleep(1000);
      object = await workload(namespace, name).catch(() => object);
      if (object) await approve(object);
    }
  }
  await Promise.all([strikeOn(), lookOn()]);
  progress.stop();
  const seconds = (Date.now() - begun) / 1000;
  const { sites } = inputs;
  const calls = await callsOf(objective);
  const kills = struck.filter(({ name: what }) => CARRIES_ANSWERS.test(what));
  const again = sites.flatMap((site) => {
    const all = calls.filter((call) => call.site === site).map(({ at }) => at);
    return all.slice(1).map((at, before) => ({ site, at, answeredAt: all[before] ?? at }));
  });
  const wasCut = ({ answeredAt }: { answeredAt: number }): boolean =>
    kills.some(({ from, at }) => at >= answeredAt - ON_THE_WIRE_MS && from <= answeredAt + ON_THE_WIRE_MS);
  const afterItsEnd = again.filter(
    ({ site, at }) => at > (progress.endedAt.get(`analyze ${sites.indexOf(site)}`) ?? Number.POSITIVE_INFINITY),
  );
  return {
    phase: isLost() ? "lost" : String(object?.status?.phase),
    seconds,
    pauses: struck.flatMap(({ at }) => {
      const next = progress.settledAt.find((settled) => settled > at);
      return next === undefined ? [] : [(next - at) / 1000];
    }),
    struck: struck.map(({ name: what }) => what),
    repeated: [...progress.changed, ...afterItsEnd.map(({ site }) => `${site} was analyzed after its node had ended`)],
    cutCalls: again.filter(wasCut).length,
    callsTwice: again.filter((one) => !wasCut(one)).map(({ site }) => site),
    outputs: object?.status?.outputs ?? {},
  };
}

/** A part that is on its way back cannot be struck. */
async function hits({ strike }: Fault): Promise<boolean> {
  return strike().then(
    () => true,
    () => false,
  );
}

/** As approve writes it: what asks for the review, and what carries an event, may be the part that was killed. */
async function approve(object: KubeObject): Promise<void> {
  const { reviews = [], ...status } = object.status ?? {};
  if (!reviews.some(({ decision }: { decision?: string }) => decision === undefined)) return;
  const decision = { decision: "approved", by: "chaos", how: "ReviewLink", automatic: false };
  const decided = reviews.map((review: object) => ({ ...decision, at: new Date().toISOString(), ...review }));
  // A conflict is decided by the next look.
  await workloads.putStatus(object as never, { ...status, reviews: decided }).catch(() => undefined);
}

/** What the provider was asked about pages for a run with that question, in order. */
async function callsOf(objective: string): Promise<{ readonly site: string; readonly at: number }[]> {
  const { body } = await ask({ namespace: SYSTEM, name: "openai" }, "/log");
  const log = JSON.parse(body) as { at: string; purpose: string; site?: string; objective?: string }[];
  return log.flatMap(({ at, purpose, site, objective: asked }) =>
    purpose === "analyze" && asked === objective && site ? [{ site, at: Date.parse(at) }] : [],
  );
}

export async function removeRun(namespace: string, name: string): Promise<void> {
  await kubectl(["-n", namespace, "delete", "agentworkload", name, "--timeout=180s"]);
}
