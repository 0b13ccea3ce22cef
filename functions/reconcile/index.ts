import type { CloudEvent } from "cloudevents";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { scheduledIn } from "../../crd/agentschedule.ts";
import type { ObjectRef } from "../../lib/edges/kube.ts";
import { errorResponse, tooLarge } from "../../lib/error-response.ts";
import { TerminalError } from "../../lib/errors.ts";
import { parseEvent } from "../../lib/events.ts";
import { pause } from "../../lib/pause.ts";
import { parseStepRequested } from "../../lib/step-events.ts";
import { METRIC, measured } from "../../lib/telemetry/metrics.ts";
import type { VerifyStepToken } from "../../lib/token.ts";
import { type AgentDeps, reconcileAgent } from "./agent/reconcile.ts";
import { type CompletedDeps, takeResult } from "./completed.ts";
import { keyOf } from "./key.ts";
import { createRequeue } from "./requeue.ts";
import { enqueueAgents, enqueueWaiting, resync } from "./resync.ts";
import { reconcileSchedule } from "./schedule/reconcile.ts";
import { createWorkQueue } from "./work-queue.ts";
import { isUnrecorded, recordDecision } from "./workload/decision-outcome.ts";
import { workloadOfDecision } from "./workload/decisions.ts";
import { type ReconcileDeps, reconcileWorkload } from "./workload/reconcile.ts";

export interface ReconcileAppDeps extends Omit<ReconcileDeps, "wake">, AgentDeps, CompletedDeps {
  /** Of a step that was requested: why its request came back. Never makes a record. */
  readonly markUndeliverable: (identity: string, why: string) => Promise<void>;
  /** Also takes a token that has expired since. */
  readonly verifyExpiredToken: VerifyStepToken;
  /** Does `work` when this process is the first with its settings. What fails is done by the resync. */
  readonly onNewSettings: (work: () => Promise<void>) => Promise<void>;
  readonly draining: AbortSignal;
}

/** As an agent takes it (lib/agent-app.ts): a request may come back as a dead letter. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** How long the status of a run that ends takes to be written, generously. */
const AFTER_END_MS = 1000;

/** How long an instance stays awake after a schedule's time, to look at it. */
const AFTER_TIME_MS = 1000;

const scheduleKey = ({ namespace, name }: ObjectRef): string => `schedule/${namespace}/${name}`;
const workloadKey = ({ namespace, name }: ObjectRef): string => `workload/${namespace}/${name}`;

/** Takes CloudEvents, each only a hint that an object may have something to do; answers when that is done. */
export function createApp(deps: ReconcileAppDeps): Hono {
  const app = new Hono();
  const enqueueKey = createWorkQueue(async (key) => {
    const [kind = "", namespace = "", name = ""] = key.split("/");
    const ref = { namespace, name };
    const requeueAt = await measured(METRIC.reconcileDuration, { kind }, () => look(kind, ref));
    requeue(key, requeueAt, deps.now());
  });
  const requeue = createRequeue((key) => {
    // What keeps it from going on is said in its status.
    enqueueKey(key).catch(() => undefined);
  });
  const lookDeps: ReconcileDeps = {
    ...deps,
    wake: (ref) => requeue(workloadKey(ref), deps.now(), deps.now()),
    recordRun(ended) {
      deps.recordRun(ended);
      wakeSchedule(ended.run.workload);
    },
  };
  const enqueueAgent = ({ namespace, name }: ObjectRef): Promise<void> => enqueueKey(`agent/${namespace}/${name}`);
  const enqueueSchedule = (ref: ObjectRef): Promise<void> => enqueueKey(scheduleKey(ref));
  const enqueueWorkload = ({ namespace, name }: ObjectRef, debounce = false): Promise<void> =>
    enqueueKey(workloadKey({ namespace, name }), { debounce });

  function look(kind: string, ref: ObjectRef): Promise<Date | undefined> {
    if (kind === "agent") return lookAtAgent(ref);
    return kind === "schedule" ? reconcileSchedule(ref, deps) : reconcileWorkload(ref, lookDeps);
  }

  /** A run ends: the next of its schedule may wait for that, and an older one be too many. Once its status is written. */
  function wakeSchedule({ namespace, name }: ObjectRef): void {
    const scheduled = scheduledIn(name);
    if (!scheduled) return;
    const at = new Date(deps.now().getTime() + AFTER_END_MS);
    requeue(scheduleKey({ namespace, name: scheduled.schedule }), at, deps.now());
  }

  async function lookAtAgent(ref: ObjectRef): Promise<Date | undefined> {
    const { changed, requeueAt } = await reconcileAgent(ref, deps);
    if (changed) await enqueueWaiting(deps.kube, enqueueWorkload);
    return requeueAt;
  }

  // Agents have settings of reconcile's, logins among them.
  void deps.onNewSettings(() => enqueueAgents(deps.kube, enqueueAgent));

  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  app.post("/", bodyLimit({ maxSize: MAX_EVENT_BYTES, onError: tooLarge }), async (c) => {
    const event = parseEvent(Object.fromEntries(c.req.raw.headers), await c.req.text());
    await take(event);
    return c.body(null, 200);
  });
  app.onError((error, c) => errorResponse(error, c, deps.log));
  return app;

  async function take(event: CloudEvent<unknown>): Promise<void> {
    const key = keyOf(event, deps.engine.workloadOf);
    switch (key.of) {
      case "nothing":
        throw new TerminalError("NotForReconcile", key.why);
      case "deadLetter":
        await deps.markUndeliverable(await askedFor(event), key.why);
        METRIC.deadLetters.record(1);
        return enqueueWorkload(key.ref);
      case "completed":
        await takeResult(event, deps);
        return enqueueWorkload(key.ref, true);
      case "workload":
        return enqueueWorkload(key.ref, key.debounce);
      case "agent":
        return enqueueAgent(key.ref);
      case "decision":
        return enqueueDecided(key.ref);
      case "schedule":
        return enqueueSchedule(key.ref);
      case "pipeline":
        return enqueueWaiting(deps.kube, enqueueWorkload);
      case "all":
        return stayAwakeUntil(
          await resync(
            lookDeps,
            { agent: enqueueAgent, workload: enqueueWorkload, decision: enqueueDecided, schedule: enqueueSchedule },
            (ref, at) => requeue(scheduleKey(ref), at, deps.now()),
          ),
        );
    }
  }

  /** An instance without requests goes to sleep: the answer to the resync waits until the schedule's time, at which requeue looks at it. */
  async function stayAwakeUntil(time: Date | undefined): Promise<void> {
    if (time === undefined) return;
    const ms = time.getTime() - deps.now().getTime() + AFTER_TIME_MS;
    await pause(Math.max(ms, 0), deps.draining).catch(() => undefined);
  }

  /** One that is gone was counted, or went with its workload. */
  async function enqueueDecided(ref: ObjectRef): Promise<void> {
    const decision = await deps.kube.decisions.get(ref);
    if (!decision || !isUnrecorded(decision)) return;
    const workload = workloadOfDecision(decision);
    if (workload !== undefined) await enqueueWorkload({ namespace: ref.namespace, name: workload });
    await recordDecision(ref, deps);
  }

  /** A dead letter is believed when its token says that reconcile asked for it. */
  async function askedFor(event: CloudEvent<unknown>): Promise<string> {
    const { identity, request } = parseStepRequested(event);
    const claims = await deps.verifyExpiredToken(request.token);
    if (claims.jti === identity) return identity;
    throw new TerminalError("InvalidToken", "the dead letter's token is that of another step");
  }
}
