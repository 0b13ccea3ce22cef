import { readFileSync } from "node:fs";
import { nodeIP } from "../context.ts";
import { podCIDR } from "../network.ts";
import { run } from "../run.ts";
import { comment, ensureRule } from "./network.ts";

/** The queue that the policy engine reads (config/policy-engine.yaml). */
const queue = "98";
/** Removed with the network, by its prefix. */
const chain = "AGENTIC-POLICY";

// The engine would make these by nftables, with an expression that not every kernel has; iptables' NFQUEUE is older. Where nobody reads
// the queue, what comes there is dropped: whatever still gets through has met the engine.
const decided = [
  // The node's own: the kubelet's probes, the API server's calls, and the engine's, which learns of policies by them.
  "-m addrtype --src-type LOCAL -j RETURN",
  `-s ${nodeIP} -j RETURN`,
  "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
  `-s ${podCIDR} -j NFQUEUE --queue-num ${queue}`,
  `-d ${podCIDR} -j NFQUEUE --queue-num ${queue}`,
];

// Where a Service's address has already become its pod's; and what pods send to the node itself, to the API server and the kubelet.
const hooks = [["POSTROUTING"], ["INPUT", "-s", podCIDR]] as const;

/** Whether the engine reads its queue. */
export async function isEngineListening(): Promise<boolean> {
  const queues = readFileSync("/proc/net/netfilter/nfnetlink_queue", "utf8").split("\n");
  return queues.some((line) => line.trim().split(/\s+/)[0] === queue);
}

/** From now on the engine decides on each new connection from a pod or to one. */
export async function makePolicyRules(): Promise<void> {
  const rules = decided.map((rule) => `-A ${chain} ${rule}`);
  await run("iptables-restore", ["-w", "--noflush"], ["*mangle", `:${chain} -`, ...rules, "COMMIT", ""].join("\n"));
  for (const [hook, ...matches] of hooks) await ensureRule("mangle", hook, [...matches, ...comment, "-j", chain]);
}
