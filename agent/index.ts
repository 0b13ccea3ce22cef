// biome-ignore-all lint/performance/noBarrelFile: the face of the package that agents install (scripts/agent-package.ts)
export { canonicalJson, sha256 } from "../engine/canonical.ts";
export {
  addUsage,
  type Evaluation,
  type Item,
  NO_USAGE,
  type StepInput,
  type StepResult,
  type UpstreamResult,
  type Usage,
} from "../engine/result.ts";
export { SUMMARY, type Summary, summarySchema } from "../engine/summary.ts";
export type { AgentEdges } from "../lib/connect.ts";
export { contextOf, type StepContext, type StepGraph } from "../lib/durable/durable.ts";
export { type Artifacts, getJson } from "../lib/edges/artifacts.ts";
export type { Browser } from "../lib/edges/browser.ts";
export type { EgressRequest } from "../lib/edges/egress-access.ts";
export { type EgressFetch, type EgressResponse, egressFetch } from "../lib/edges/egress-client.ts";
export { RetryableError, TerminalError } from "../lib/errors.ts";
export { type ServedAgent, serveAgent } from "../lib/serve-agent.ts";
export { recordEvaluation } from "../lib/telemetry/evaluation.ts";
export { browserProxy, egressAccess } from "./egress.ts";
