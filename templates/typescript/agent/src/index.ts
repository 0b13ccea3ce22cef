import { serveAgent } from "agentic-kubernetes/agent";
import { createGraph } from "./graph.js";

await serveAgent({ name: "count-words", graph: createGraph });
