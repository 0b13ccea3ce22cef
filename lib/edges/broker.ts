import { type CloudEvent, HTTP } from "cloudevents";
import { RetryableError } from "../errors.ts";

/** Hands an event to the Broker. @throws RetryableError BrokerUnavailable */
export type SendEvent = (event: CloudEvent<unknown>) => Promise<void>;

const TIMEOUT_MS = 10_000;

/** `url`: the Broker's ingress, as its status.address says. */
export function connectBroker(url: string): SendEvent {
  return async (event) => {
    const { headers, body } = HTTP.binary(event);
    let response: Response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: body as string,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // Read to its end, or the connection is not used again.
      await response.arrayBuffer();
    } catch (cause) {
      const detail = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
      throw unavailable(url, detail, cause);
    }
    if (!response.ok) throw unavailable(url, `HTTP ${response.status}`);
  };
}

function unavailable(url: string, detail: string, cause?: unknown): RetryableError {
  return new RetryableError(
    "BrokerUnavailable",
    `the Broker at ${url} did not take an event (${detail}): 'kubectl get broker -A' says whether it is ready`,
    { cause, retryAfterSeconds: 2, countsAsAttempt: false },
  );
}
