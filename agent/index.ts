// biome-ignore-all lint/performance/noBarrelFile: the face of the package that agents install (scripts/agent-package.ts)
export { contextOf, type StepContext, type StepGraph } from "../lib/durable/durable.ts";
export { RetryableError, TerminalError } from "../lib/errors.ts";
export { type Agent, type AgentEdges, serveAgent } from "../lib/serve-agent.ts";
export { NO_USAGE, type StepInput, type StepResult, type Usage } from "../lib/step.ts";
