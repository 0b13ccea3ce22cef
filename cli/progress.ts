import { createLogUpdate } from "log-update";
import { usageOf } from "../engine/outcomes.ts";
import { type ItemProgress, itemProgress, type StepProgress, stepProgress } from "../engine/progress.ts";
import type { Usage } from "../engine/result.ts";
import type { Run } from "../engine/run.ts";
import { type Instance, walk } from "../engine/walk.ts";
import { type ItemCost, itemCosts, itemText } from "./item-cost.ts";
import type { Position, RunEvent } from "./local/runner.ts";
import { type ModelCost, modelCosts } from "./model-cost.ts";

/** How far a run is, as `agentic status` and the progress line show it. */
export interface Progress {
  readonly steps: readonly StepProgress[];
  readonly items: ItemProgress;
  readonly usage: Usage;
  readonly itemCosts: readonly ItemCost[];
  readonly modelCosts: readonly ModelCost[];
}

export function progressOf(run: Run, { outcomes, running }: Position): Progress {
  const position = walk(run, outcomes);
  return {
    steps: stepProgress(run, position, outcomes, running),
    items: itemProgress(run, position, outcomes),
    usage: usageOf(outcomes),
    itemCosts: itemCosts(run, outcomes),
    modelCosts: modelCosts(outcomes),
  };
}

interface Count {
  readonly total: number;
  /** Nothing is left to do for these. */
  readonly settled: number;
  readonly unit: "items" | "steps";
}

/** Items where the run has any, else steps. */
function countOf({ items, steps }: Progress): Count {
  if (items.total > 0) return { total: items.total, settled: items.done + items.failed, unit: "items" };
  const settled = steps.filter(({ succeeded, failed, skipped }) => succeeded + failed + skipped > 0).length;
  return { total: steps.length, settled, unit: "steps" };
}

/** Seconds left, by the pace of this command; undefined before the first item is through. `settledBefore`: by an earlier command. */
export function secondsLeft(progress: Progress, settledBefore: number, elapsedMs: number): number | undefined {
  const { total, settled } = countOf(progress);
  const settledNow = settled - settledBefore;
  if (settledNow <= 0) return undefined;
  return Math.round(((total - settled) * elapsedMs) / settledNow / 1000);
}

const BAR_WIDTH = 30;
const SHOWN_RUNNING = 8;

export interface Drawing {
  readonly elapsedMs: number;
  /** Columns of the terminal. */
  readonly width: number;
  readonly settledBefore: number;
}

/** The live view: a bar, the counts, what is in flight. */
export function renderProgress(progress: Progress, running: readonly Instance[], drawing: Drawing): string {
  const { elapsedMs, width, settledBefore } = drawing;
  const { total, settled, unit } = countOf(progress);
  const filled = Math.round((settled / Math.max(1, total)) * BAR_WIDTH);
  const left = secondsLeft(progress, settledBefore, elapsedMs);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${settled}/${total} ${unit}`;
  const counts = progress.steps
    .filter((step) => step.running + step.succeeded > 0)
    .map(({ name, succeeded, total: times }) => `${name} ${succeeded}/${times}`);
  const failed = progress.steps.reduce((sum, step) => sum + step.failed, 0);
  const lines = [
    `${bar}  ${clock(elapsedMs)}${left === undefined ? "" : `, about ${clock(left * 1000)} left`}`,
    [...counts, `failed ${failed}`, `cost ${dollars(progress.usage.costUsd)}`].join("   "),
    ...running.slice(0, SHOWN_RUNNING).map((instance) => `  ${describe(instance)}`),
  ];
  if (running.length > SHOWN_RUNNING) lines.push(`  and ${running.length - SHOWN_RUNNING} more`);
  return lines.map((line) => line.slice(0, width)).join("\n");
}

/** One ended step as a line for logs and pipes; undefined for an event that needs no line. */
export function renderLine(event: RunEvent, progress: () => Progress): string | undefined {
  if (event.type === "started" || event.recorded || event.instance.step.gate) return undefined;
  const { instance, outcome, ms } = event;
  const { total, settled } = countOf(progress());
  const count = instance.item === undefined ? "" : `[${settled}/${total}] `;
  const what = `${count}${describe(instance)}`;
  if (outcome.outcome === "skipped") return `${what}  skipped: its \`when\` is false`;
  if (outcome.outcome === "failed") return `${what}  failed: ${outcome.reason}: ${outcome.message ?? ""}`;
  return `${what}  ${(ms / 1000).toFixed(1)} s${outcome.output ? `  ${outcome.output}` : ""}`;
}

function describe({ step, item }: Instance): string {
  return item === undefined ? step.name : `${step.name.padEnd(8)} ${itemText(item)}`;
}

export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Four decimals: one item of a cheap model costs less than a tenth of a cent. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(4)}`;
}

export interface ProgressView {
  on(event: RunEvent, position: Position): void;
  readonly progress: Progress;
  /** Clears the live lines, so that what is printed next stands alone. They come back with the next event. */
  pause(): void;
  done(): void;
}

/** Live on a terminal, plain lines elsewhere; both on stderr, since stdout carries results. */
export function showProgress(stream: NodeJS.WriteStream, run: Run, now: () => number): ProgressView {
  const startedAt = now();
  const live = stream.isTTY ? createLogUpdate(stream) : undefined;
  let position: Position = { outcomes: new Map(), running: [] };
  /** Unknown until this command starts its first step: what earlier ones did is reported before. */
  let settledBefore: number | undefined;
  let paused = true;
  const draw = (): void => {
    if (paused || !live) return;
    const running = position.running.filter(({ step }) => !step.gate);
    const drawing = { elapsedMs: now() - startedAt, width: stream.columns ?? 80, settledBefore: settledBefore ?? 0 };
    live(renderProgress(progressOf(run, position), running, drawing));
  };
  const timer = live && setInterval(draw, 250);
  timer?.unref();
  return {
    get progress() {
      return progressOf(run, position);
    },
    on(event, at) {
      position = at;
      if (event.type === "started") settledBefore ??= countOf(progressOf(run, at)).settled;
      // An open gate keeps the lines that tell where to decide; steps beside it bring the live view back.
      if (live && !event.instance.step.gate) paused = false;
      else if (!live) {
        const line = renderLine(event, () => progressOf(run, at));
        if (line !== undefined) stream.write(`${line}\n`);
      }
    },
    pause() {
      if (!live || paused) return;
      draw();
      live.done();
      paused = true;
    },
    done() {
      clearInterval(timer);
      this.pause();
    },
  };
}
