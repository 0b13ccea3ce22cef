/** The process that reads pages: page-pool.ts starts it, ask-process.ts asks it. Its argument: how long it may be at one page, in ms. */
import { Script } from "node:vm";
import { extract } from "./extract/extract.ts";
import { merge } from "./merge.ts";

/** What takes as long as a page wants: all that searches its markup or its text. */
const WORK = { extract, merge };
export type PageWork = typeof WORK;

export interface PageQuestion {
  readonly work: keyof PageWork;
  /** Its arguments, as JSON carries them. */
  readonly args: readonly unknown[];
}

/** `tooLarge` and `error` say why there is no result. */
export type PageAnswer = { readonly result: unknown } | { readonly tooLarge: string } | { readonly error: string };
/** What this process says to each question: that it has begun, then its answer. */
export type PageMessage = "begun" | PageAnswer;

/** Who asks ends this process before. When the asker was killed itself, nobody would. */
const orphanMs = Number(process.argv[2]);
/** V8's watchdog interrupts regular expressions, too. A timer of this process would wait for the page. */
const CALL = new Script("readPage()");

const say = (message: PageMessage): void => void process.send?.(message);
process.on("message", (question: PageQuestion) => {
  say("begun");
  say(answer(question));
});

function answer({ work, args }: PageQuestion): PageAnswer {
  const run = WORK[work] as (...args: readonly unknown[]) => unknown;
  Object.assign(globalThis, { readPage: () => run(...args) });
  try {
    return { result: CALL.runInThisContext({ timeout: orphanMs }) };
  } catch (error) {
    if (error instanceof RangeError) return { tooLarge: error.message };
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
