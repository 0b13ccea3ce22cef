import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home, internetIP, linkLocalIP, nodeIP } from "../context.ts";
import { bridge, podCIDR, serviceCIDR } from "../network.ts";
import { attempt, run } from "../run.ts";

const prefix = podCIDR.split("/")[1];
export const comment = ["-m", "comment", "--comment", "agentic-cluster"];

// What pods send outside leaves with the machine's address; what a firewall would not forward is forwarded.
const rules = [
  ["nat", "POSTROUTING", "-s", podCIDR, "!", "-d", podCIDR, ...comment, "-j", "MASQUERADE"],
  ["filter", "FORWARD", "-s", podCIDR, ...comment, "-j", "ACCEPT"],
  ["filter", "FORWARD", "-d", podCIDR, ...comment, "-j", "ACCEPT"],
  // Before kube-proxy knows of a Service's endpoints its address would lead to the outside, where a proxy may answer: the activator
  // kept such a connection, and took its 404 for its function's answer for good. What still has the address here has no pod.
  ["filter", "FORWARD", "-d", serviceCIDR, ...comment, "-j", "REJECT"],
  ["filter", "OUTPUT", "-d", serviceCIDR, ...comment, "-j", "REJECT"],
];

// Pods reach services over the bridge only when bridged packets pass iptables too.
const sysctls = ["net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"];
const before = join(home, "sysctls-before.json");

export async function makeNetwork(): Promise<void> {
  if ((await attempt("ip", ["link", "show", bridge])) === undefined) {
    await run("ip", ["link", "add", bridge, "type", "bridge"]);
  }
  for (const address of [`${nodeIP}/${prefix}`, `${internetIP}/32`, `${linkLocalIP}/32`])
    await run("ip", ["addr", "replace", address, "dev", bridge]);
  await run("ip", ["link", "set", bridge, "up"]);
  await attempt("modprobe", ["br_netfilter"]);
  const paths = sysctls.map((name) => join("/proc/sys", name));
  if (!existsSync(before)) {
    const values = paths.map((path) => [path, readFileSync(path, "utf8").trim()]);
    writeFileSync(before, JSON.stringify(Object.fromEntries(values)));
  }
  for (const path of paths) writeFileSync(path, "1");
  for (const [table = "", chain = "", ...rule] of rules) await ensureRule(table, chain, rule);
}

/** Puts a rule at a chain's beginning, unless it is in it. */
export async function ensureRule(table: string, chain: string, rule: string[]): Promise<void> {
  const there = await attempt("iptables", ["-w", "-t", table, "-C", chain, ...rule]);
  if (there === undefined) await run("iptables", ["-w", "-t", table, "-I", chain, ...rule]);
}

/** Our rules and chains, kube-proxy's and the kubelet's chains, the bridge with its ports, and the sysctls as they were. */
export async function removeNetwork(): Promise<void> {
  for (const [save, restore] of [
    ["iptables-save", "iptables-restore"],
    ["ip6tables-save", "ip6tables-restore"],
  ] as const) {
    const saved = await attempt(save, []);
    if (saved === undefined) continue;
    await run(restore, ["-w", "--noflush"], removal(saved));
  }
  const links = (await attempt("ip", ["-o", "link", "show", "master", bridge])) ?? "";
  for (const [, port = ""] of links.matchAll(/^\d+: ([^@:]+)/gm)) await attempt("ip", ["link", "delete", port]);
  await attempt("ip", ["link", "delete", bridge]);
  if (existsSync(before)) {
    for (const [path, value] of Object.entries(JSON.parse(readFileSync(before, "utf8")))) {
      writeFileSync(path, String(value));
    }
    rmSync(before);
  }
}

/** What takes our rules and chains, and the KUBE- chains, out of the tables that iptables-save printed, and nothing else. */
function removal(saved: string): string {
  return saved
    .split("\n")
    .flatMap((line) => {
      if (line.startsWith("*")) return [line];
      if (/^:(KUBE|AGENTIC)-/.test(line)) return [line]; // with --noflush: empties that one chain
      if (/^-A (?!KUBE-|AGENTIC-).*(KUBE-|agentic-cluster)/.test(line)) return [line.replace("-A", "-D")];
      if (line === "COMMIT") return ["COMMIT"];
      return [];
    })
    .join("\n")
    .replace(/^(\*[^*]*)COMMIT$/gm, (_table, body: string) => `${body}${chains(body)}COMMIT`)
    .concat("\n");
}

function chains(body: string): string {
  return [...body.matchAll(/^:((?:KUBE|AGENTIC)-\S+)/gm)].map(([, chain]) => `-X ${chain}\n`).join("");
}
