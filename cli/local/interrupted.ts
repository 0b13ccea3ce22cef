import { EXIT } from "../exit-code.ts";

/** The run cannot continue now. It loses nothing: the same command continues it. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** CamelCase. */
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** What Ctrl-C and SIGTERM abort, with an Interrupted as the reason; a second one ends the process at once. `ignore`: from then on nothing does. */
export function interruptedBySignals(say: (line: string) => void): { readonly signal: AbortSignal; ignore(): void } {
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) process.exit(EXIT.sigint);
    say(`\n${signal}: stopping after the current steps; once more stops at once`);
    interrupt.abort(new Interrupted(signal, "stopped by the user"));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: interrupt.signal,
    ignore: () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal),
  };
}
