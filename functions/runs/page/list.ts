import { html } from "hono/html";
import { itemsText, troubleOf, waitingReviews } from "../../../engine/status-text.ts";
import type { Html } from "../../../lib/page/document.ts";
import { minute, usd } from "../../../lib/page/text.ts";
import { keyOf, type SeenRun } from "../run.ts";
import type { Block, Shown } from "./live.ts";
import { badge, instant, trouble, UNREADABLE, waiting } from "./words.ts";

/** The newest. A page of more is no list that anybody reads, and each change is sent to each who looks. */
const MAX_SHOWN = 100;

export const LIST_TITLE = "Runs";

/** @param runs those that the reader may list @param runUrl the address of a run's own page */
export async function listShown(
  runs: readonly SeenRun[],
  { runUrl, staleSince }: { readonly runUrl: (run: SeenRun) => string; readonly staleSince: Date | undefined },
): Promise<Shown> {
  const newest = runs.toSorted((one, other) => compare(other, one)).slice(0, MAX_SHOWN);
  const blocks: readonly (readonly [string, Html])[] = [
    ["summary", summary(runs, newest.length, staleSince)],
    ...newest.map((run) => [idOf(run), row(run, runUrl(run))] as const),
  ];
  return { title: LIST_TITLE, blocks: await rendered(blocks) };
}

export function rendered(blocks: readonly (readonly [string, Html])[]): Promise<Block[]> {
  return Promise.all(blocks.map(async ([id, body]) => ({ id, html: String(await body) })));
}

/** Newest last; of the same second by name, so that the order is the same each time. */
function compare(one: SeenRun, other: SeenRun): number {
  const [a, b] = [one, other].map(({ metadata }) => `${metadata.createdAt} ${keyOf(metadata)}`);
  return (a ?? "") < (b ?? "") ? -1 : 1;
}

function idOf({ metadata }: SeenRun): string {
  return `run-${metadata.uid}`;
}

function summary(runs: readonly SeenRun[], shown: number, staleSince: Date | undefined): Html {
  const count = (one: string, several: string, of: number): string => `${of} ${of === 1 ? one : several}`;
  const active = runs.filter(({ status }) => status.finishedAt === undefined).length;
  const gates = runs.reduce((sum, run) => sum + waitingReviews(run).length, 0);
  const text =
    runs.length === 0
      ? "There are no runs in the namespaces that you may read."
      : `${count("run", "runs", runs.length)}, ${active} not finished, ${count("gate waits", "gates wait", gates)} for a decision.${shown < runs.length ? ` The newest ${shown} are shown.` : ""}`;
  return html`<div id="summary"><p>${text}</p>${stale(staleSince)}</div>`;
}

export function stale(since: Date | undefined): Html | "" {
  if (!since) return "";
  return html`<div class="notice bad">The API server does not answer. This is the state of ${minute(since.toISOString())}.</div>`;
}

function row(run: SeenRun, url: string): Html {
  const { metadata, status, unreadable } = run;
  const { phase, pipeline, items, usage } = status;
  const problem = troubleOf(status);
  const progress = itemsText(status);
  return html`<article id="${idOf(run)}" class="run">
    <div>
      <h2><a href="${url}">${metadata.name}</a></h2>
      <p class="soft">${metadata.namespace}${pipeline ? html` · ${pipeline}` : ""} · ${instant(metadata.createdAt)}</p>
    </div>
    <div>
      <p>${badge(phase)} ${progress ?? ""}${usage ? `${progress ? " · " : ""}${usd(Number(usage.costUsd))}` : ""}</p>
      ${items && items.total > 0 ? html`<progress max="${items.total}" value="${items.done}" aria-label="Items done"></progress>` : ""}
      ${waitingReviews(run).map(waiting)}
      ${problem ? trouble(problem) : ""}
      ${unreadable ? UNREADABLE : ""}
    </div>
  </article>`;
}
