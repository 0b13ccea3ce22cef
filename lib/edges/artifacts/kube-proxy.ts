import { HttpMethod, type KubeConfig, RequestContext } from "@kubernetes/client-node";
import pRetry from "p-retry";
import { fetch, type Response } from "undici";
import { RetryableError, TerminalError } from "../../errors.ts";
import { USAGE_DENIED } from "../../usage/served.ts";
import type { ObjectStore } from "./object-store.ts";

/** As config/artifacts.yaml names it, and lets everybody ask. */
const PROXY = "/api/v1/namespaces/agentic-system/services/http:artifacts:80/proxy";

/** A pod that moves to another node, or is too busy to answer its readiness probe, is back within seconds. */
const RETRY = { retries: 5, minTimeout: 250, maxTimeout: 4000 };

export interface ProxiedStore extends Pick<ObjectStore, "read"> {
  /** In bytes; undefined where no object has this key. */
  size(key: string): Promise<number | undefined>;
  /** What another path of the function says; `headers`: further ones of the request. */
  text(path: string, headers: Readonly<Record<string, string>>): Promise<string | undefined>;
}

/** What runs left, as a kubeconfig reaches it: by the API server's proxy, and the function artifacts behind it. */
export function createProxiedStore(config: KubeConfig): ProxiedStore {
  const askOnce = async (
    method: HttpMethod,
    key: string,
    further: Readonly<Record<string, string>>,
  ): Promise<Response | undefined> => {
    const server = config.getCurrentCluster()?.server.replace(/\/$/, "") ?? "";
    const context = new RequestContext(`${server}${PROXY}/${key}`, method);
    await config.applySecurityAuthentication(context);
    const dispatcher = context.getDispatcher();
    const answer = await fetch(context.getUrl(), {
      method,
      headers: { ...context.getHeaders(), ...further },
      signal: context.getSignal() ?? null,
      ...(dispatcher ? { dispatcher } : {}),
    });
    if (answer.ok) return answer;
    await answer.body?.cancel();
    return refusal(answer);
  };
  const ask = (method: HttpMethod, key: string, further = {}): Promise<Response | undefined> =>
    pRetry(() => askOnce(method, key, further), {
      ...RETRY,
      shouldRetry: ({ error }) => error instanceof RetryableError,
    });
  return {
    async read(key) {
      const answer = await ask(HttpMethod.GET, key);
      return answer && new Uint8Array(await answer.arrayBuffer());
    },
    text: async (path, headers) => (await ask(HttpMethod.GET, path, headers))?.text(),
    async size(key) {
      const answer = await ask(HttpMethod.HEAD, key);
      return answer && Number(answer.headers.get("content-length"));
    },
  };
}

/** Undefined: the function says that it has no such bytes; anything else is the API server's own answer. */
function refusal({ status, headers }: Response): undefined {
  if (status === 404 && headers.has("agentic-reason")) return undefined;
  const reason = headers.get("agentic-reason");
  if (reason === USAGE_DENIED)
    throw new TerminalError(
      "ArtifactsNotServed",
      "the function artifacts gives you no usage of that: name another namespace",
    );
  switch (status) {
    case 401:
      throw new TerminalError("Unauthorized", "the API server does not know you: log in to the cluster again");
    case 403:
    case 404:
      throw new TerminalError(
        "ArtifactsNotServed",
        `the API server answers ${status} for the Service artifacts of agentic-system: an administrator applies config/artifacts.yaml`,
      );
    default: {
      const detail = reason
        ? `the function artifacts answers ${status} (${reason}): see its log`
        : `the API server's proxy answers ${status} for the Service artifacts of agentic-system: is its pod ready?`;
      throw status === 429 || status >= 500
        ? new RetryableError("ArtifactsNotServed", detail)
        : new TerminalError("ArtifactsNotServed", detail);
    }
  }
}
