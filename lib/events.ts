import { CloudEvent, HTTP } from "cloudevents";
import { TerminalError } from "./errors.ts";

/** One CloudEvent out of a request, binary or structured. @throws TerminalError NotACloudEvent */
export function parseEvent(headers: Record<string, string>, body: string): CloudEvent<unknown> {
  try {
    const parsed = HTTP.toEvent<unknown>({ headers, body });
    if (Array.isArray(parsed)) throw new TypeError("a batch of events, where one is expected");
    // The library makes one up; then nothing of it could be recognised when it comes again.
    if (!attribute(headers, body, "id")) throw new TypeError("it has no id");
    // The library takes every other version for 1.0.
    const version = attribute(headers, body, "specversion");
    if (version !== "1.0")
      throw new TypeError(`its specversion is ${JSON.stringify(version)}, where "1.0" is expected`);
    const event = parsed as CloudEvent<unknown>;
    // Without a datacontenttype the data is JSON (CloudEvents 1.0, 3.1); the library leaves it as text.
    const untyped = event.datacontenttype === undefined && typeof event.data === "string" && event.data !== "";
    return new CloudEvent<unknown>(untyped ? { ...event, data: JSON.parse(event.data as string) } : event);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new TerminalError("NotACloudEvent", `not a CloudEvent: ${detail}`, { cause });
  }
}

/** As it was sent: the library adds what is missing. */
function attribute(headers: Record<string, string>, body: string, name: "id" | "specversion"): unknown {
  const structured = headers["content-type"]?.startsWith("application/cloudevents+json") ?? false;
  return structured ? (JSON.parse(body) as Record<string, unknown>)[name] : headers[`ce-${name}`];
}
