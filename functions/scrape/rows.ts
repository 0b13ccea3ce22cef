import { MAX_HEIGHT } from "./in-page.ts";
import { keepRows, type RowLimits } from "./in-page-rows.ts";
import type { Tab } from "./tab.ts";
import { answerWithin } from "./waits.ts";

const LIMITS = { lists: 3, rows: 500, html: 500_000, height: MAX_HEIGHT } as const;
const ROWS_MS = 4_000;

/**
 * Keeps the rows of lists that hold only what they show, for readComposed. `page`: whether the page itself is such a list.
 * @returns what a reader must know of it
 */
export async function readRows({ session, wait }: Tab, page: boolean): Promise<string[]> {
  const ms = Math.min(ROWS_MS, wait.script / 2);
  try {
    const { rows, cut } = await answerWithin(wait.script, "rows", keptIn(session, { ...LIMITS, ms, page }));
    return cut ? [`a list shows its rows only while it is scrolled: ${rows} of them were read, and no more`] : [];
  } catch {
    // A page that went away or does not answer says so when it is read.
    return [];
  }
}

async function keptIn(session: Tab["session"], limits: RowLimits): Promise<Awaited<ReturnType<typeof keepRows>>> {
  const { targetInfo } = await session.send("Target.getTargetInfo");
  // The world in which readComposed reads.
  const world = await session.send("Page.createIsolatedWorld", { frameId: targetInfo.targetId, worldName: "agentic" });
  const { result, exceptionDetails } = await session.send("Runtime.callFunctionOn", {
    functionDeclaration: keepRows.toString(),
    executionContextId: world.executionContextId,
    arguments: [{ value: limits }],
    awaitPromise: true,
    returnByValue: true,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value as Awaited<ReturnType<typeof keepRows>>;
}
