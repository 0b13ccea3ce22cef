import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { Limits } from "../quota/limits.ts";
import type { Wait } from "../quota/shortage.ts";
import type { Licence, LicenceReading } from "./licence.ts";

/** What holds without a licence: more than a team needs, less than a platform of many teams does (docs/licence.md). */
export const COMMUNITY = { namespaces: 20, workloadsAtOnce: 100, itemsAMonth: 1_000_000 } as const;

/** Where an installation's licence is. */
export const LICENCE_SECRET = { namespace: SHARED_NAMESPACE, name: "agentic-licence", key: "licence" };

export const LICENCE_REASON = {
  endsSoon: "LicenceEndsSoon",
  /** It has expired, and its days of grace have not. */
  grace: "LicenceInGrace",
  expired: "LicenceExpired",
  /** There is one that does not count: the community limits hold. */
  invalid: "LicenceInvalid",
  clockSetBack: "ClockSetBack",
} as const;

const DAY_MS = 24 * 3_600_000;
const WARN_MS = 30 * DAY_MS;
/** Clocks of nodes differ, by less than this. */
const CLOCK_TOLERANCE_MS = DAY_MS;

/** What an installation may do, and what is to be said of its licence. */
export interface Standing {
  readonly limits: Limits;
  /** A warning, for who runs workloads and who administers. */
  readonly notice?: Wait;
  /** When no new run starts any more. Absent: no licence that counts. */
  readonly closes?: Date;
  /** How far the clock is behind the latest time that was seen. Absent: no further than clocks differ. */
  readonly setBackMs?: number;
}

/** New runs start under it. */
export function isInForce({ notice }: Pick<Standing, "notice">): boolean {
  return notice?.reason !== LICENCE_REASON.expired && notice?.reason !== LICENCE_REASON.invalid;
}

/**
 * Of a licence at a time. `reading`: undefined where there is none. `latest`: the latest time that was ever seen; a clock that is far
 * behind it was set back, and the licence is judged by `latest`.
 */
export function standingOf(reading: LicenceReading | undefined, clock: Date, latest: string | undefined): Standing {
  const seen = latest === undefined ? clock : new Date(latest);
  const behind = seen.getTime() - clock.getTime();
  const isSetBack = behind > CLOCK_TOLERANCE_MS;
  const standing = standingAt(reading, isSetBack ? seen : clock);
  if (!isSetBack) return standing;
  const judged = reading === undefined ? "what a month may use" : "the licence";
  const said = `The clock says ${dayOf(clock)}, and ${dayOf(seen)} was seen before: ${judged} is judged by that day. Set the clocks of the nodes right`;
  const { reason, message } = standing.notice ?? { reason: LICENCE_REASON.clockSetBack, message: "" };
  const notice = { reason, message: message ? `${message}. ${said}` : said };
  const { closed } = standing.limits;
  return {
    ...standing,
    limits: { ...standing.limits, ...(closed ? { closed: notice } : {}) },
    notice,
    setBackMs: behind,
  };
}

function standingAt(reading: LicenceReading | undefined, now: Date): Standing {
  if (reading === undefined) return { limits: limitsOf(COMMUNITY) };
  return "problem" in reading ? invalid(reading.problem) : licensedAt(reading, now);
}

function licensedAt(licence: Licence, now: Date): Standing {
  const { nbf, exp, grace, limits } = licence;
  const [begins, ends] = [new Date(nbf * 1000), new Date(exp * 1000)];
  const closes = new Date(ends.getTime() + grace * DAY_MS);
  if (now < begins) return invalid(`it begins on ${dayOf(begins)}`);
  const open = limitsOf(limits);
  if (now >= closes) {
    const notice = {
      reason: LICENCE_REASON.expired,
      message: `${nameOf(licence)} expired on ${dayOf(ends)}${grace > 0 ? `, and its ${grace} days of grace ended on ${dayOf(closes)}` : ""}: no new run starts. ${RENEW}. Runs that have begun, reviews and outputs go on; without the Secret the community limits hold`,
    };
    return { ...withNotice({ ...open, closed: notice }, notice), closes };
  }
  const until = `new runs start until ${dayOf(closes)}. ${RENEW}`;
  if (now >= ends)
    return {
      ...withNotice(open, {
        reason: LICENCE_REASON.grace,
        message: `${nameOf(licence)} expired on ${dayOf(ends)}: ${until}`,
      }),
      closes,
    };
  if (ends.getTime() - now.getTime() > WARN_MS) return { limits: open, closes };
  return {
    ...withNotice(open, {
      reason: LICENCE_REASON.endsSoon,
      message: `${nameOf(licence)} expires on ${dayOf(ends)}: ${until}`,
    }),
    closes,
  };
}

const RENEW = `Put a renewed one into the Secret ${LICENCE_SECRET.namespace}/${LICENCE_SECRET.name}`;

function invalid(problem: string): Standing {
  const { namespace, name } = LICENCE_SECRET;
  return withNotice(limitsOf(COMMUNITY), {
    reason: LICENCE_REASON.invalid,
    message: `The licence in the Secret ${namespace}/${name} does not count: ${problem}. The community limits hold`,
  });
}

function withNotice(limits: Limits, notice: Wait): Standing {
  return { limits, notice };
}

function limitsOf({ namespaces, workloadsAtOnce, itemsAMonth }: Licence["limits"]): Limits {
  return {
    ...(namespaces === undefined ? {} : { maxNamespaces: namespaces }),
    ...(workloadsAtOnce === undefined ? {} : { maxRunning: workloadsAtOnce }),
    ...(itemsAMonth === undefined ? {} : { maxPerMonth: itemsAMonth }),
  };
}

function nameOf({ sub, plan }: Licence): string {
  return `The licence of ${sub} (plan ${plan})`;
}

/** UTC. A day and no time: what is said stays the same from look to look. */
function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
