import { ApiException, KubeConfig, type RequestContext } from "@kubernetes/client-node";
import { z } from "zod";
import { RetryableError, TerminalError } from "../errors.ts";

/** Longest that one call may take, its answer read to the end: undici by itself waits five minutes for a server that stays silent. */
const CALL_TIMEOUT_MS = 15_000;

/**
 * Each call has a deadline, and connections are reused: the client 2.0 makes a dispatcher for each call, and with it a TLS handshake,
 * which costs reconcile and the API server more than the call itself.
 */
class PooledKubeConfig extends KubeConfig {
  readonly #timeoutMs: number;
  #dispatcher: ReturnType<RequestContext["getDispatcher"]>;

  constructor(timeoutMs: number) {
    super();
    this.#timeoutMs = timeoutMs;
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    context.setSignal(AbortSignal.timeout(this.#timeoutMs));
    this.#dispatcher ??= context.getDispatcher();
    if (this.#dispatcher) context.setDispatcher(this.#dispatcher);
  }
}

export interface KubeSource {
  /** The kubeconfig; absent: the pod's service account, $KUBECONFIG, or ~/.kube/config. */
  readonly file?: string | undefined;
  /** Its context; absent: its current one. */
  readonly context?: string | undefined;
  /** Absent: 15 seconds. */
  readonly timeoutMs?: number | undefined;
}

/**
 * How a cluster is reached. Nothing is connected before the first call. A call that takes longer than `timeoutMs` ends with
 * ApiUnavailable. @throws Error where the file or the context is not there
 */
export function kubeConfig({ file, context, timeoutMs = CALL_TIMEOUT_MS }: KubeSource = {}): KubeConfig {
  const config = new PooledKubeConfig(timeoutMs);
  if (file === undefined) config.loadFromDefault();
  else config.loadFromFile(file);
  if (context !== undefined) {
    if (!config.getContextObject(context)) throw new Error(`the kubeconfig has no context ${context}`);
    config.setCurrentContext(context);
  }
  return config;
}

/** What the API server answers, as a value where it is an expected outcome, else as one of our two errors. */
export async function outcome<T>(call: Promise<T>): Promise<{ value: T } | { refused: "conflict" | "gone" }> {
  try {
    return { value: await call };
  } catch (cause) {
    if (!(cause instanceof ApiException))
      throw unavailable(cause instanceof Error ? cause.message : String(cause), cause);
    const { reason, message } = statusOf(cause);
    if (cause.code === 404) return { refused: "gone" };
    if (cause.code === 409) return { refused: "conflict" };
    // A JSON patch whose `test` did not hold; the server names no field then, as it does for an invalid object.
    if (cause.code === 422 && /the server rejected our request|testing path|test failed/i.test(message))
      return { refused: "conflict" };
    if (cause.code === 429 || cause.code >= 500) throw unavailable(message, cause);
    throw new TerminalError(reason, message, { cause });
  }
}

function unavailable(detail: string, cause: unknown): RetryableError {
  return new RetryableError("ApiUnavailable", `the Kubernetes API: ${detail}`, { cause, countsAsAttempt: false });
}

/** The Status object in an error's body. */
function statusOf(error: ApiException<unknown>): { reason: string; message: string } {
  let body: unknown = error.body;
  if (typeof body === "string") {
    try {
      body = JSON.parse(body);
    } catch {
      // Not from the API server itself: a proxy's page.
    }
  }
  const status = z.object({ reason: z.string().optional(), message: z.string().optional() }).safeParse(body).data;
  return { reason: status?.reason || `Http${error.code}`, message: status?.message ?? error.message.slice(0, 500) };
}
