import { attempt, run } from "../run.ts";
import { fail, say } from "../say.ts";

/** Commands of the machine that the cluster's parts call, and the Debian package of each. */
const needed: Record<string, string> = {
  containerd: "containerd",
  runc: "runc",
  conntrack: "conntrack",
  iptables: "iptables",
  ipset: "ipset",
  ip: "iproute2",
  openssl: "openssl",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
};

export async function installPackages(): Promise<void> {
  const missing: string[] = [];
  for (const [command, name] of Object.entries(needed)) {
    if ((await attempt("sh", ["-c", `command -v ${command}`])) === undefined) missing.push(name);
  }
  if (missing.length === 0) return;
  if ((await attempt("sh", ["-c", "command -v apt-get"])) === undefined) {
    fail(`install with your package manager what Debian calls ${missing.join(", ")}, then run this again`);
  }
  say(`apt-get install ${missing.join(" ")}: a minute`);
  const wait = ["-o", "DPkg::Lock::Timeout=600", "-qq"];
  const install = [...wait, "install", "-y", "--no-install-recommends", ...missing];
  await attempt("apt-get", [...wait, "update"]);
  await run("env", ["DEBIAN_FRONTEND=noninteractive", "apt-get", ...install]).catch((error: Error) =>
    fail(`apt-get could not install them: ${error.message}`),
  );
}
