import { request } from "node:http";
import { text } from "node:stream/consumers";
import { type EgressUsage, egressUsageSchema } from "../../engine/result.ts";
import { type EgressAccess, proxyAuthorization } from "./egress-access.ts";

/** The egress proxy itself: asked for this host, which is nobody's (RFC 2606), it says what it counted for the step that asks. */
export const USAGE_HOST = "usage.egress.invalid";

/** A busy proxy is asked by a step that ends: fifty that end at once wait for each other. */
const TIMEOUT_MS = 5_000;

/** What the proxy counted for a step so far; undefined where it does not say. By node:http alone: every step that may reach a host asks. */
export async function readEgressUsage(access: EgressAccess): Promise<EgressUsage | undefined> {
  const headers = { host: USAGE_HOST, "proxy-authorization": proxyAuthorization(access) };
  const answer = new Promise<string>((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    request(access.proxy, { path: `http://${USAGE_HOST}/`, headers, signal, agent: false }, (response) =>
      text(response).then(resolve, reject),
    )
      .on("error", reject)
      .end();
  });
  try {
    return egressUsageSchema.parse(JSON.parse(await answer));
  } catch {
    return undefined;
  }
}
