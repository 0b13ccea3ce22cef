import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { HostAccess } from "../../lib/host-access.ts";

/** A shorter value is a word of the page's own. */
const MIN_LENGTH = 8;
const IN_PLACE = "[removed]";

/** What a page told, without the values that it was shown: some pages say them again. On a picture they stay. */
export function withoutAccess<T>(told: T, access: HostAccess): T {
  const values = Object.values(access)
    .flatMap(({ headers = {}, cookies = [] }) => [...Object.values(headers), ...cookies.map(({ value }) => value)])
    // Of `Bearer TOKEN` a page may say the token alone.
    .flatMap((value) => [value, ...value.split(/\s+/)])
    .filter((value) => value.length >= MIN_LENGTH)
    // One may contain another.
    .toSorted((a, b) => b.length - a.length);
  if (values.length === 0) return told;
  const clean = (text: string): string => values.reduce((left, value) => left.replaceAll(value, IN_PLACE), text);
  return deep(told, clean) as T;
}

/** An error may quote an address that the page made of it. Then what it was caused by says the same, and is left out. */
export function errorWithoutAccess(error: unknown, access: HostAccess): unknown {
  if (!(error instanceof Error) || !messagesOf(error).some((text) => withoutAccess(text, access) !== text))
    return error;
  const message = withoutAccess(error.message, access);
  if (error instanceof TerminalError) return new TerminalError(error.reason, message);
  if (!(error instanceof RetryableError)) return new Error(message);
  const { reason, retryAfterSeconds, countsAsAttempt } = error;
  return new RetryableError(reason, message, { retryAfterSeconds, countsAsAttempt });
}

const messagesOf = (error: Error): string[] =>
  error.cause instanceof Error ? [error.message, ...messagesOf(error.cause)] : [error.message];

function deep(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((one) => deep(one, clean));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, deep(one, clean)]));
}
