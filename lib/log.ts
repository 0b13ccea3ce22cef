import type { Logger } from "pino";
import { pino } from "pino";

export type { Logger };

/** JSON lines on stderr: stdout belongs to what a command prints. */
export function createLog(name: string, level: string): Logger {
  return pino({ name, level, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}
