import { type ServedAgent, serveAgent } from "agentic-kubernetes/agent";
import { createGraph as audit } from "./audit/graph.js";
import { createGraph as discover } from "./discover/graph.js";
import { createGraph as report } from "./report/graph.js";
import { createGraph as summarize } from "./summarize/graph.js";

// One image, four agents: the first argument, or else AGENT, says which one this process is.
const AGENTS: Readonly<Record<string, ServedAgent["graph"]>> = { discover, audit, summarize, report };

const name = process.argv[2] ?? process.env["AGENT"] ?? "";
const graph = AGENTS[name];
if (graph) await serveAgent({ name, graph });
else {
  console.error(`expected the name of an agent (${Object.keys(AGENTS).join(", ")}) as the first argument or in AGENT`);
  process.exitCode = 1;
}
