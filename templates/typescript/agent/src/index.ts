import { serveAgent } from "agentic-kubernetes/agent";
import { createGraph } from "./graph.js";

// The step's name is what requests call it.
await serveAgent({ step: "count-words", graph: createGraph });
