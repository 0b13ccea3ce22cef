import type { StepResult } from "../../engine/result.ts";
import { TerminalError } from "../../lib/errors.ts";
import { parseEvent } from "../../lib/events.ts";
import { parseStepCompleted, STEP_COMPLETED } from "../../lib/step-events.ts";

/** An agent's HTTP answer to a step's request. */
export interface Reply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an answer means for the step, as a Broker would take it. */
export type Verdict =
  | { readonly is: "completed"; readonly result: StepResult }
  /** Send it again. `counts`: the answer is an error of the agent, of which the retry limit allows a few. */
  | {
      readonly is: "again";
      readonly afterMs: number;
      readonly reason: string;
      readonly why: string;
      readonly counts: boolean;
    }
  /** Sending it again would not help. */
  | { readonly is: "failed"; readonly reason: string; readonly why: string };

const DEFAULT_RETRY_MS = 1000;
/** However little an agent asks for: a loop without a pause would keep both processes busy. */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 3_600_000;

/** `identity`: of the request that was sent. `why` continues a sentence whose subject is the agent. */
export function judge({ status, headers, body }: Reply, identity: string): Verdict {
  if (status >= 200 && status < 300) return judgeBody({ status, headers, body }, identity);
  const reason = headers["agentic-reason"];
  const said = [reason, decoded(headers["agentic-message"] ?? "")].filter(Boolean).join(": ");
  const why = `answered ${status}${said ? ` (${said})` : ""}`;
  if (status === 503 || status === 429)
    return { is: "again", afterMs: retryAfterMs(headers), reason: reason ?? "AgentUnavailable", why, counts: false };
  if (status >= 500 || status === 408)
    return { is: "again", afterMs: retryAfterMs(headers), reason: reason ?? "AgentUnavailable", why, counts: true };
  if (status >= 300 && status < 400)
    return {
      is: "failed",
      reason: "AgentRefused",
      why: `${why} and redirects to ${headers["location"] ?? "nowhere"}, but a request with a token is not redirected: use the final address`,
    };
  const hint = said ? "" : `: is that the address of an agent? It takes events by POST`;
  return { is: "failed", reason: reason ?? "AgentRefused", why: `${why}${hint}` };
}

function judgeBody({ status, headers, body }: Reply, identity: string): Verdict {
  const invalid = (why: string): Verdict => ({ is: "failed", reason: "InvalidResult", why });
  if (body.trim() === "")
    return invalid(
      `answered ${status} without a body: it must answer the request with an event of type ${STEP_COMPLETED}, since no Broker could deliver it later`,
    );
  try {
    const { identity: answered, result } = parseStepCompleted(parseEvent({ ...headers }, body));
    if (answered === identity) return { is: "completed", result };
    return invalid(`answered for the request ${answered}, but the request was ${identity}`);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const type = headers["content-type"] ?? "no content type";
    const start = JSON.stringify(body.slice(0, 80));
    return invalid(
      error.reason === "InvalidResult"
        ? `answered with an invalid result: ${error.message}`
        : `answered ${status} with ${type} that is no event of type ${STEP_COMPLETED}: ${start} (${error.message})`,
    );
  }
}

function retryAfterMs(headers: Reply["headers"]): number {
  // Seconds; a date, which HTTP allows too, no agent of ours sends.
  const seconds = Number(headers["retry-after"]?.trim() || Number.NaN);
  return Number.isFinite(seconds) ? Math.min(Math.max(MIN_RETRY_MS, seconds * 1000), MAX_RETRY_MS) : DEFAULT_RETRY_MS;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
