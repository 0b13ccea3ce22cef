/**
 * The two ways a step can end badly. Nothing else decides an HTTP status: lib/step-app.ts maps these two, and only these.
 * `reason` is a CamelCase word as in a Kubernetes condition; `message` says what happened and what to do about it.
 */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Trouble that may pass: the step keeps its checkpoint and is delivered again. */
export class RetryableError extends Error {
  override readonly name = "RetryableError";
  readonly reason: string;
  readonly retryAfterSeconds: number;
  /** False for trouble that is not this step's own (a held lease, a drain): it does not use up one of its attempts. */
  readonly countsAsAttempt: boolean;
  constructor(
    reason: string,
    message: string,
    options: ErrorOptions & { retryAfterSeconds?: number; countsAsAttempt?: boolean } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
    this.countsAsAttempt = options.countsAsAttempt ?? true;
  }
}

/** How loud an error is in a log: what passes, what its sender has to mend, and what is a defect of ours. */
export function levelOf(error: unknown): "info" | "warn" | "error" {
  if (error instanceof RetryableError) return "info";
  return error instanceof TerminalError ? "warn" : "error";
}
