/// <reference lib="dom" />

interface World {
  agenticLate?: {
    /** When each one-time timer is due. */
    readonly due: Map<number, number>;
    changedAt: number;
    /** When a script last wrote a style: pictures that it moves or fades itself. */
    restyledAt: number;
  };
}

/** Runs before any script of a page: knows which timers are still to come, and when the page last changed. */
export function watchLate(limits: { readonly longestMs: number; readonly chained: number }): void {
  const state = { due: new Map<number, number>(), changedAt: 0, restyledAt: 0 };
  (globalThis as World).agenticLate = state;
  const set = window.setTimeout;
  /** How many timers led to the one that runs: a page that polls sets one from the other without end. */
  let chain = 0;
  const watched = (handler: unknown, ms?: number, ...args: unknown[]): number => {
    if (typeof handler !== "function") return set(handler as string, ms, ...args);
    const length = chain + 1;
    const id = set(
      function (this: unknown, ...given: unknown[]) {
        state.due.delete(id);
        const before = chain;
        chain = length;
        try {
          return handler.apply(this, given);
        } finally {
          chain = before;
        }
      },
      ms,
      ...args,
    );
    const wait = Number(ms) || 0;
    if (wait <= limits.longestMs && length <= limits.chained) state.due.set(id, performance.now() + wait);
    return id;
  };
  window.setTimeout = watched as typeof window.setTimeout;
  const clear = window.clearTimeout;
  window.clearTimeout = ((id?: number) => {
    if (id !== undefined) state.due.delete(id);
    clear(id);
  }) as typeof window.clearTimeout;
  new MutationObserver((changes) => {
    // What the parser adds is waited for otherwise, and what goes, as a banner does, brings nothing.
    const adds = changes.some(({ type, addedNodes }) => type === "characterData" || addedNodes.length > 0);
    if (adds && document.readyState !== "loading") state.changedAt = performance.now();
    if (changes.some(({ type }) => type === "attributes")) state.restyledAt = performance.now();
  }).observe(document, { childList: true, characterData: true, subtree: true, attributeFilter: ["style"] });
}

/** Runs in the page: whether it has just changed, or is about to; `moves`: whether what scripts move counts, too. */
export function isChanging({ quietMs, moves }: { readonly quietMs: number; readonly moves: boolean }): boolean {
  const state = (globalThis as World).agenticLate;
  if (!state) return false;
  const now = performance.now();
  return (
    now - state.changedAt < quietMs ||
    (moves && now - state.restyledAt < quietMs) ||
    // Of a timer that is long overdue the page is told nothing more, or it is too busy to say.
    [...state.due.values()].some((at) => at > now - quietMs)
  );
}
