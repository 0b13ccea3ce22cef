import { readFile } from "node:fs/promises";
import { type CloudEvent, HTTP } from "cloudevents";
import { RetryableError } from "../errors.ts";

/** Hands an event to the Broker. @throws RetryableError BrokerUnavailable */
export type SendEvent = (event: CloudEvent<unknown>) => Promise<void>;

const TIMEOUT_MS = 10_000;

/** `url`: the Broker's ingress, as its status.address says. `tokenFile`: holds a token that says who sends, for that Broker only. */
export function connectBroker(url: string, tokenFile?: string): SendEvent {
  return async (event) => {
    const { headers, body } = HTTP.binary(event);
    const authorization = tokenFile === undefined ? {} : { authorization: `Bearer ${await readToken(url, tokenFile)}` };
    let response: Response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: { ...(headers as Record<string, string>), ...authorization },
        body: body as string,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // Read to its end, or the connection is not used again.
      await response.arrayBuffer();
    } catch (cause) {
      const detail = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
      throw unavailable(url, detail, READY, cause);
    }
    if (response.status === 401 || response.status === 403)
      throw unavailable(url, `HTTP ${response.status}`, PERMITTED);
    if (!response.ok) throw unavailable(url, `HTTP ${response.status}`, READY);
  };
}

/** Anew for each event: the kubelet replaces the token before it expires. */
async function readToken(url: string, file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw unavailable(url, String(cause), "BROKER_TOKEN_FILE names the file with the token for it", cause);
  }
}

const READY = "'kubectl get broker -A' says whether it is ready";
const PERMITTED = "'kubectl get eventpolicies -A -o yaml' says who may publish to it, with a token for it";

function unavailable(url: string, detail: string, hint: string, cause?: unknown): RetryableError {
  return new RetryableError("BrokerUnavailable", `the Broker at ${url} did not take an event (${detail}): ${hint}`, {
    cause,
    retryAfterSeconds: 2,
    countsAsAttempt: false,
  });
}
