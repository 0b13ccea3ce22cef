import { createLogUpdate } from "log-update";
import { addUsage, NO_USAGE, type Usage } from "../lib/step.ts";
import type { RunEvent } from "./local/runner.ts";

/** How far a run is, folded from its events. */
export interface Progress {
  readonly total: number;
  /** Succeeded items by step, in the order the steps first ended. */
  readonly succeeded: ReadonlyMap<string, number>;
  readonly failed: number;
  /** Items with no step left to run: the last step of the chain ended, or one failed. */
  readonly settled: number;
  /** Settled in this process, not found done: what the time left is judged by. */
  readonly settledNow: number;
  readonly recorded: number;
  readonly inFlight: ReadonlyMap<string, string>;
  readonly usage: Usage;
}

export function startProgress(total: number): Progress {
  return {
    total,
    succeeded: new Map(),
    failed: 0,
    settled: 0,
    settledNow: 0,
    recorded: 0,
    inFlight: new Map(),
    usage: NO_USAGE,
  };
}

/** `lastStep`: the chain's last, after which an item is settled. */
export function advance(progress: Progress, event: RunEvent, lastStep: string): Progress {
  const key = event.item ?? event.step;
  const inFlight = new Map(progress.inFlight);
  if (event.type === "started") {
    inFlight.set(key, event.step);
    return { ...progress, inFlight };
  }
  inFlight.delete(key);
  const ok = event.result.outcome === "succeeded";
  const ofItem = event.item !== undefined;
  const settles = ofItem && (!ok || event.step === lastStep);
  const succeeded = new Map(progress.succeeded);
  if (ok) succeeded.set(event.step, (succeeded.get(event.step) ?? 0) + 1);
  return {
    ...progress,
    inFlight,
    succeeded,
    failed: progress.failed + (ofItem && !ok ? 1 : 0),
    settled: progress.settled + (settles ? 1 : 0),
    settledNow: progress.settledNow + (settles && !event.recorded ? 1 : 0),
    recorded: progress.recorded + (event.recorded ? 1 : 0),
    usage: addUsage(progress.usage, event.result.usage),
  };
}

/** Seconds left, from the pace so far; undefined before the first site is through. */
export function secondsLeft(progress: Progress, elapsedMs: number): number | undefined {
  if (progress.settledNow === 0) return undefined;
  return Math.round(((progress.total - progress.settled) * elapsedMs) / progress.settledNow / 1000);
}

const BAR_WIDTH = 30;

/** The live view: a bar, the counts, what is being worked on. */
export function renderProgress(progress: Progress, elapsedMs: number, steps: readonly string[], width: number): string {
  const filled = Math.round((progress.settled / Math.max(1, progress.total)) * BAR_WIDTH);
  const counts = steps.map((step) => `${step} ${progress.succeeded.get(step) ?? 0}/${progress.total}`);
  const left = secondsLeft(progress, elapsedMs);
  const lines = [
    `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${progress.settled}/${progress.total} sites  ${clock(elapsedMs)}${left === undefined ? "" : `, about ${clock(left * 1000)} left`}`,
    [...counts, `failed ${progress.failed}`, `cost ${dollars(progress.usage.costUsd)}`].join("   "),
    ...[...progress.inFlight].slice(0, 8).map(([item, step]) => `  ${step.padEnd(8)} ${item}`),
  ];
  if (progress.inFlight.size > 8) lines.push(`  and ${progress.inFlight.size - 8} more`);
  return lines.map((line) => line.slice(0, width)).join("\n");
}

/** One ended step as a line for logs and pipes; undefined for what needs no line. */
export function renderLine(event: RunEvent, progress: Progress): string | undefined {
  if (event.type === "started" || event.recorded) return undefined;
  const what = `${event.step.padEnd(8)} ${event.item ?? ""}`.trimEnd();
  const count = event.item === undefined ? "" : `[${progress.settled}/${progress.total}] `;
  if (event.result.outcome === "failed")
    return `${count}${what}  failed: ${event.result.reason}: ${event.result.message ?? ""}`;
  return `${count}${what}  ${(event.ms / 1000).toFixed(1)} s${event.result.output ? `  ${event.result.output}` : ""}`;
}

export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Four digits: a site costs about $0.0008. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(4)}`;
}

export interface ProgressView {
  on(event: RunEvent): void;
  readonly progress: Progress;
  /** Takes the live lines away, so that what is printed next stands alone. */
  done(): void;
}

/** Live on a terminal, plain lines elsewhere; both on stderr, since stdout carries results. */
export function showProgress(
  stream: NodeJS.WriteStream,
  total: number,
  steps: readonly string[],
  now: () => number,
): ProgressView {
  const started = now();
  const live = stream.isTTY ? createLogUpdate(stream) : undefined;
  let progress = startProgress(total);
  const draw = (): void => live?.(renderProgress(progress, now() - started, steps, stream.columns ?? 80));
  const timer = live && setInterval(draw, 250);
  timer?.unref();
  return {
    get progress() {
      return progress;
    },
    on(event) {
      progress = advance(progress, event, steps.at(-1) ?? "");
      if (live) draw();
      else {
        const line = renderLine(event, progress);
        if (line !== undefined) stream.write(`${line}\n`);
      }
    },
    done() {
      if (timer) clearInterval(timer);
      if (live) {
        draw();
        live.done();
      }
    },
  };
}
