import { CloudEvent, HTTP } from "cloudevents";
import { TerminalError } from "./errors.ts";

/** One CloudEvent out of a request, binary or structured. @throws TerminalError NotACloudEvent */
export function parseEvent(headers: Record<string, string>, body: string): CloudEvent<unknown> {
  try {
    const parsed = HTTP.toEvent<unknown>({ headers, body });
    if (Array.isArray(parsed)) throw new TypeError("a batch of events, where one is expected");
    return new CloudEvent(parsed as CloudEvent<unknown>);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new TerminalError("NotACloudEvent", `not a CloudEvent: ${detail}`, { cause });
  }
}
