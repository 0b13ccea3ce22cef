import type { AgentEdges } from "../lib/connect.ts";
import type { StepContext } from "../lib/durable/durable.ts";
import { egressAccess as accessOf, type EgressAccess } from "../lib/edges/egress-access.ts";

/** How a step reaches the network: what egressFetch takes. */
export function egressAccess(edges: Pick<AgentEdges, "egressProxy">, context: StepContext): EgressAccess {
  return accessOf(edges.egressProxy, context);
}

/** The same as Playwright's option `proxy`. */
export function browserProxy(
  edges: Pick<AgentEdges, "egressProxy">,
  context: StepContext,
): { server: string; username: string; password: string; bypass: string } {
  const { proxy, username, password } = egressAccess(edges, context);
  // Chromium goes to localhost without a proxy unless it is told not to.
  return { server: proxy, username, password, bypass: "<-loopback>" };
}
