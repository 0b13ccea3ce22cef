/** What the commands end with; printed in `agentic run --help`. */
export const EXIT = {
  succeeded: 0,
  /** The run ended and did not succeed. */
  failed: 1,
  /** The command line or the workload is wrong; nothing was started. */
  invalid: 2,
  rejected: 3,
  /** The workload is suspended or stopped, or another process runs it. */
  held: 4,
  /** Stopped before its end by trouble that is not the run's own; the same command continues it. */
  interrupted: 5,
  /** Ctrl-C. */
  sigint: 130,
} as const;

/** For the help of both `quote` commands. */
export const QUOTE_EXIT_CODES = `
Exit codes: ${EXIT.succeeded} quoted, ${EXIT.invalid} wrong input, ${EXIT.held} suspended or stopped: nothing would start`;
