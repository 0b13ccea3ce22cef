import { Cron } from "croner";

/**
 * When a schedule comes. Where clocks skip an hour, what was to come in it comes right after; where they repeat one, a fixed time comes once,
 * and each quarter of an hour in both.
 */
export interface Times {
  /** The first after a time; undefined: none ever. */
  after(time: Date): Date | undefined;
  /** The last at or before a time; undefined: none ever. */
  lastUntil(time: Date): Date | undefined;
}

/** What keeps a schedule from being one. */
export type CronProblem = { readonly field: "schedule" | "timeZone"; readonly message: string };

/** Five fields, as in crontab(5). `timeZone`: IANA's name. */
export function parseCron(schedule: string, timeZone: string): { times: Times } | { problem: CronProblem } {
  if (!isTimeZone(timeZone))
    return { problem: { field: "timeZone", message: 'expected an IANA time zone, such as "Europe/Berlin"' } };
  let cron: Cron;
  try {
    cron = new Cron(schedule, { mode: "5-part", timezone: timeZone, paused: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return { problem: { field: "schedule", message: `expected five fields, such as "0 6 * * 1": ${why}` } };
  }
  const times: Times = {
    after: (time) => cron.nextRun(time) ?? undefined,
    // What comes at that very moment is not before it.
    lastUntil: (time) => cron.previousRuns(1, new Date(time.getTime() + 1000 - (time.getTime() % 1000)))[0],
  };
  if (!times.after(new Date(0))) return { problem: { field: "schedule", message: "names a day that never comes" } };
  return { times };
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
