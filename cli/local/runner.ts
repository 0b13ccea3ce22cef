import { checkedResult } from "../../engine/agent-output.ts";
import { type Findings, findingsOf } from "../../engine/findings.ts";
import { stepIdentity } from "../../engine/identity.ts";
import {
  type Outcomes,
  type OutcomeTable,
  SKIPPED,
  type StepOutcome,
  setOutcome,
  usageOf,
} from "../../engine/outcomes.ts";
import type { FrozenAgent, PipelineStep } from "../../engine/pipeline.ts";
import type { StepInput, StepResult } from "../../engine/result.ts";
import { type Run, retryLimitOf, stepDeadlineMs } from "../../engine/run.ts";
import { stepTraceparent } from "../../engine/trace.ts";
import { type Instance, type RunEnd, turnOf, type Walk, walk } from "../../engine/walk.ts";
import type { FindPrevious } from "../../lib/durable/previous-results.ts";
import type { TraceAttributes, UnsignedRequest } from "../../lib/step-events.ts";
import { startable } from "./slots.ts";

/** The request of one step, without its tokens: every delivery gets its own. */
export interface StepOrder {
  readonly identity: string;
  readonly agent: FrozenAgent;
  readonly step: PipelineStep;
  readonly request: UnsignedRequest;
  readonly trace: TraceAttributes;
  readonly deadline: Date;
  readonly retryLimit: number;
  /** US dollars that the run's steps have cost so far. */
  readonly spentUsd: number;
}

/** A gate whose turn it is. */
export interface OpenGate {
  readonly gate: PipelineStep;
  readonly findings: Findings;
  readonly outcomes: Outcomes;
  /** Aborts when the run ends without this decision. */
  readonly signal: AbortSignal;
}

/** The effects of a local run. Everything else here is computed from their results. */
export interface RunnerEdges {
  /** Sends a step to its agent and waits until it has ended, redeliveries included. */
  dispatch(order: StepOrder): Promise<StepResult>;
  /** The result of a step that an earlier command did, where it need not be done again. */
  recorded(identity: string, step: string): Promise<StepResult | undefined>;
  readonly findPrevious: FindPrevious;
  /** Keeps the result, so that a later command finds it. `ms`: how long the step took. */
  record(identity: string, result: StepResult, ms: number): Promise<void>;
  /** Opens the gate, or finds it open from before, and waits for its decision. */
  decide(open: OpenGate): Promise<StepOutcome>;
  emit(event: RunEvent, position: Position): void;
  /** Aborts when this command must stop; its reason is what runPipeline throws. */
  readonly signal: AbortSignal;
  /** Aborts at the run's deadline. */
  readonly deadline: AbortSignal;
  now(): Date;
  /** engine/trace.ts */
  readonly traceSeed: string;
}

export type RunEvent =
  | { readonly type: "started"; readonly instance: Instance }
  | {
      readonly type: "ended";
      readonly instance: Instance;
      readonly outcome: StepOutcome;
      /** True when an earlier command did it. */
      readonly recorded: boolean;
      readonly ms: number;
    };

/** How far a run is. */
export interface Position {
  readonly outcomes: Outcomes;
  /** Steps that have started and not ended, open gates among them. */
  readonly running: readonly Instance[];
}

export interface EndedRun {
  readonly end: RunEnd;
  readonly outcomes: Outcomes;
}

const DEADLINE_EXCEEDED: RunEnd = {
  phase: "Failed",
  reason: "DeadlineExceeded",
  message: "the run did not end by its deadline: raise spec.deadlines.run; steps that succeeded are reused",
};

/**
 * Walks a run to its end. Stands in for Argo and the Broker; the steps, events and agents are those of a cluster.
 * @throws what an edge threw, or the reason of `edges.signal`, once everything in flight has ended
 */
export function runPipeline(run: Run, edges: RunnerEdges): Promise<EndedRun> {
  return new Runner(run, edges).run();
}

/** A step of an agent that is ready and was not done before. It waits for a slot. */
interface Waiting {
  readonly identity: string;
  readonly agent: FrozenAgent;
  readonly input: StepInput;
}

class Runner {
  readonly #run: Run;
  readonly #edges: RunnerEdges;
  readonly #deadlineAt: number;
  readonly #outcomes: OutcomeTable = new Map();
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Map<string, Instance>();
  /** Aborted when no decision is needed any more. */
  readonly #gates = new AbortController();
  #failed: { readonly thrown: unknown } | undefined;
  /** Steps that have ended, by whatever end. */
  #ends = 0;
  #changed = Promise.withResolvers<void>();

  constructor(run: Run, edges: RunnerEdges) {
    this.#run = run;
    this.#edges = edges;
    this.#deadlineAt = edges.now().getTime() + run.runDeadlineMs;
  }

  async run(): Promise<EndedRun> {
    const { signal, deadline } = this.#edges;
    for (;;) {
      this.#changed = Promise.withResolvers();
      const position = walk(this.#run, this.#outcomes);
      const stopping = this.#failed !== undefined || signal.aborted || deadline.aborted;
      if (stopping || position.failure) this.#gates.abort();
      const seen = this.#ends;
      if (!stopping && (await this.#advance(position))) continue;
      // A step that ended meanwhile may have made others ready.
      if (this.#ends !== seen) continue;
      if (this.#running.size === 0) return this.#ended();
      await this.#changed.promise;
    }
  }

  #ended(): EndedRun {
    const outcomes = this.#outcomes;
    const { end } = walk(this.#run, outcomes);
    if (end && end.phase !== "Failed") return { end, outcomes };
    this.#edges.signal.throwIfAborted();
    if (this.#edges.deadline.aborted) return { end: DEADLINE_EXCEEDED, outcomes };
    if (this.#failed) throw this.#failed.thrown;
    if (!end) throw new Error("no step of the run is ready, and the run has not ended");
    return { end, outcomes };
  }

  /** Starts what may start now. @returns true when steps ended at once, so that others may be ready */
  async #advance({ ready, stages }: Walk): Promise<boolean> {
    const idle = ready.filter((instance) => !this.#running.has(keyOf(instance)));
    const settled = await this.#prepare(idle.filter((instance) => !this.#waiting.has(keyOf(instance))));
    const waiting = idle.filter((instance) => this.#waiting.has(keyOf(instance)));
    for (const instance of startable(waiting, this.#running.values(), stages, this.#run.parallelism))
      this.#dispatch(instance);
    return settled;
  }

  /** Decides about steps that have just become ready. @returns true when one of them ended at once */
  async #prepare(instances: readonly Instance[]): Promise<boolean> {
    const found = await Promise.allSettled(instances.map((instance) => this.#prepareOne(instance)));
    for (const one of found) if (one.status === "rejected") this.#fail(one.reason);
    return found.some((one) => one.status === "fulfilled" && one.value);
  }

  async #prepareOne(instance: Instance): Promise<boolean> {
    const previous = await this.#edges.findPrevious(this.#run, instance);
    const turn = turnOf(this.#run, instance, this.#outcomes, previous === "lost" ? undefined : previous);
    if (turn.do !== "run") {
      this.#settle(instance, turn.do === "skip" ? SKIPPED : turn.result, { recorded: false, ms: 0 });
      return true;
    }
    const { step } = instance;
    if (step.gate) {
      this.#open(instance);
      return false;
    }
    const agent = this.#run.pipeline.agents[step.agent ?? ""];
    if (!agent) throw new Error(`the pipeline was frozen without agent ${step.agent}`);
    const { workload } = this.#run;
    const identity = stepIdentity({ workload, step: step.name, revision: agent.revision, input: turn.input });
    const known = await this.#edges.recorded(identity, step.name);
    if (known) this.#settle(instance, known, { recorded: true, ms: 0 });
    else this.#waiting.set(keyOf(instance), { identity, agent, input: turn.input });
    return known !== undefined;
  }

  #dispatch(instance: Instance): void {
    const waiting = this.#waiting.get(keyOf(instance));
    if (!waiting) return;
    const { identity, agent, input } = waiting;
    const { step } = instance;
    const { workload, run, pipeline } = this.#run;
    const startedAt = this.#edges.now().getTime();
    const deadline = Math.min(startedAt + stepDeadlineMs(this.#run, step), this.#deadlineAt);
    this.#start(instance, async () => {
      const answered = await this.#edges.dispatch({
        identity,
        agent,
        step,
        request: { workload, run, step: step.name, revision: agent.revision, input },
        trace: {
          traceparent: stepTraceparent(this.#edges.traceSeed, step.name, instance.index),
          pipeline: `${pipeline.namespace}/${pipeline.name}`,
        },
        deadline: new Date(deadline),
        retryLimit: retryLimitOf(this.#run, step),
        spentUsd: usageOf(this.#outcomes).costUsd,
      });
      const result = await checkedResult(answered, agent, workload, step);
      await this.#edges.record(identity, result, this.#edges.now().getTime() - startedAt);
      return result;
    });
  }

  #open(instance: Instance): void {
    const { step: gate } = instance;
    const signal = AbortSignal.any([this.#gates.signal, this.#edges.deadline, this.#edges.signal]);
    const findings = findingsOf(this.#run, gate, this.#outcomes);
    this.#start(instance, () => this.#edges.decide({ gate, findings, outcomes: this.#outcomes, signal }));
  }

  #start(instance: Instance, work: () => Promise<StepOutcome>): void {
    const key = keyOf(instance);
    const startedAt = this.#edges.now().getTime();
    this.#running.set(key, instance);
    this.#emit({ type: "started", instance });
    void work()
      .then(
        (outcome) => {
          this.#running.delete(key);
          this.#ends++;
          this.#settle(instance, outcome, { recorded: false, ms: this.#edges.now().getTime() - startedAt });
        },
        (thrown) => {
          this.#running.delete(key);
          this.#ends++;
          // A gate that was closed because the run ends is no error.
          const closed = this.#gates.signal.aborted || this.#edges.deadline.aborted;
          if (!(instance.step.gate && closed)) this.#fail(thrown);
        },
      )
      .finally(() => this.#changed.resolve());
  }

  #settle(instance: Instance, outcome: StepOutcome, how: { recorded: boolean; ms: number }): void {
    this.#waiting.delete(keyOf(instance));
    setOutcome(this.#outcomes, instance.step.name, instance.index, outcome);
    this.#emit({ type: "ended", instance, outcome, ...how });
  }

  #fail(thrown: unknown): void {
    this.#failed ??= { thrown };
  }

  #emit(event: RunEvent): void {
    this.#edges.emit(event, { outcomes: this.#outcomes, running: [...this.#running.values()] });
  }
}

function keyOf({ step, index }: Instance): string {
  return `${step.name} ${index ?? ""}`;
}
