import type { ChildProcess } from "node:child_process";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { PageAnswer, PageMessage, PageQuestion } from "./page-process.ts";

/** Reasons of a step whose page exceeds a limit. */
export const EXTRACTION_TIMED_OUT = "ExtractionTimedOut";
export const EXTRACTION_TOO_LARGE = "ExtractionTooLarge";

export interface PageLimits {
  /** Counted from when the process begins with the page: a busy machine may take longer to start one. */
  readonly timeoutMs: number;
  /** MB of V8's old generation. */
  readonly heapMb: number;
}

/**
 * Puts a question to a process that has no other. After an error the process is of no more use.
 * @throws TerminalError ExtractionTimedOut, ExtractionTooLarge; RetryableError ExtractionEnded, ExtractionUnavailable; the signal's reason
 */
export async function askProcess(
  child: ChildProcess,
  question: PageQuestion,
  { timeoutMs, heapMb }: PageLimits,
  signal: AbortSignal,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<PageAnswer>();
  let begun: NodeJS.Timeout | undefined;
  const onMessage = (said: PageMessage): void => {
    if (said === "begun") begun = setTimeout(() => reject(timedOut(timeoutMs)), timeoutMs);
    else resolve(said);
  };
  const onEnd = (code: number | null, by: NodeJS.Signals | null): void => {
    const how = by ?? `exit code ${code}`;
    if (begun === undefined) reject(unavailable(how));
    // V8 aborts a process whose heap is full.
    else reject(by === "SIGABRT" ? tooLarge(`it takes more than ${heapMb} MB`) : ended(how));
  };
  const onError = ({ message }: Error): void => reject(unavailable(message));
  const onAbort = (): void => reject(signal.reason);
  child.on("message", onMessage).on("exit", onEnd).on("error", onError);
  signal.addEventListener("abort", onAbort);
  try {
    child.send(question);
    const answer = await promise;
    if ("result" in answer) return answer.result;
    throw "tooLarge" in answer ? tooLarge(answer.tooLarge) : new Error(answer.error);
  } finally {
    clearTimeout(begun);
    child.off("message", onMessage).off("exit", onEnd).off("error", onError);
    signal.removeEventListener("abort", onAbort);
  }
}

const ADVICE = "Leave it out, or let the workload tolerate failed items";

function timedOut(timeoutMs: number): TerminalError {
  return new TerminalError(
    EXTRACTION_TIMED_OUT,
    `the page was not read within ${timeoutMs / 1000} s: it is built to be slow, or far larger than others. ${ADVICE}`,
  );
}

function tooLarge(why: string): TerminalError {
  return new TerminalError(EXTRACTION_TOO_LARGE, `the page is too large to be read (${why}). ${ADVICE}`);
}

/** The kernel, or somebody, ended it. */
function ended(how: string): RetryableError {
  return new RetryableError("ExtractionEnded", `the process that read the page ended (${how})`);
}

function unavailable(how: string): RetryableError {
  return new RetryableError("ExtractionUnavailable", `no process could be started to read the page (${how})`, {
    countsAsAttempt: false,
  });
}
