/**
 * The seccomp profile of the browser pool, from containerd's RuntimeDefault: less what a browser never needs, more what Chrome's own
 * sandbox is made of (docs/adr/0028). Writes it to config/seccomp/, and the ConfigMap that brings it to nodes. With --check it only
 * reports files that are out of date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";

/** OCI runtime specification: `linux.seccomp`. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly syscalls: readonly SyscallRule[];
}

export interface SyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly ArgumentRule[];
}

interface ArgumentRule {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}

/** containerd's own code wrote it: contrib/seccomp.DefaultProfile of the module github.com/containerd/containerd/v2, amd64, no capability. */
const BASE = "config/seccomp/containerd-2.3.4.json";
const PROFILE = "config/seccomp/chrome.json";
const INSTALL = "config/seccomp/install.ts";
const CONFIG_MAP = "config/seccomp-profile.yaml";

/** What of RuntimeDefault no browser needs, and what has been used to attack kernels. */
const DROPPED: readonly string[] = [
  // Another process' memory: debuggers and crash reporters, which pods of the pool have not got.
  ...["ptrace", "process_vm_readv", "process_vm_writev", "process_mrelease"],
  // The kernel's asynchronous I/O, unlike poll and threads.
  ...["io_setup", "io_submit", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_cancel", "io_destroy"],
  // Message queues and semaphores of System V and POSIX. Shared memory stays: Browserless starts Xvfb.
  ...["ipc", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64"],
  ...["mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend"],
  ...["mq_timedsend_time64", "mq_unlink"],
  // Moving pages between pipes and files.
  ...["vmsplice", "tee", "remap_file_pages"],
  // Looking at mounts and at security modules; files by handles and watches of whole file systems; devices.
  ...["listmount", "statmount", "lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr"],
  ...["name_to_handle_at", "fanotify_mark", "mknod", "mknodat"],
  // The machine's clock, memory hidden from the kernel, segments and personalities of old programs.
  ...["adjtimex", "clock_adjtime", "clock_adjtime64", "memfd_secret", "uretprobe", "modify_ldt", "personality"],
  // All of 32-bit programs' sockets at once.
  "socketcall",
];

const CLONE_NEWUSER = 0x1000_0000;
/** Mounts, control groups, host names and System V objects of one's own: the sandbox needs none of them, exploits do. */
const REFUSED_NAMESPACES = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000;
const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const;
const SOCK_TYPE_MASK = 0xf;
const SOCK_TYPES = { STREAM: 1, DGRAM: 2 } as const;
const NETLINK_ROUTE = 0;

const equals = (index: number, value: number): ArgumentRule => ({ index, value, op: "SCMP_CMP_EQ" });
const masked = (index: number, mask: number, value: number): ArgumentRule => ({
  index,
  value: mask,
  valueTwo: value,
  op: "SCMP_CMP_MASKED_EQ",
});
const allow = (name: string, ...args: readonly ArgumentRule[]): SyscallRule => ({
  names: [name],
  action: "SCMP_ACT_ALLOW",
  ...(args.length > 0 ? { args } : {}),
});

/** In the place of what RuntimeDefault says of the same calls. */
const REPLACED: readonly SyscallRule[] = [
  // A renderer lives in user, pid and network namespaces of its own, on an empty root.
  allow("clone", masked(0, REFUSED_NAMESPACES, 0)),
  allow("unshare", equals(0, CLONE_NEWUSER)),
  allow("chroot"),
  // Who may make a user namespace has all capabilities in it: no packets, no raw sockets, no netfilter by netlink.
  allow("socket", equals(0, AF.UNIX)),
  ...[AF.INET, AF.INET6].flatMap((family) =>
    Object.values(SOCK_TYPES).map((type) => allow("socket", equals(0, family), masked(1, SOCK_TYPE_MASK, type))),
  ),
  allow("socket", equals(0, AF.NETLINK), equals(2, NETLINK_ROUTE)),
];

/** @throws Error where the base lacks what is taken from it */
export function chromeProfile(base: SeccompProfile): SeccompProfile {
  const replaced = new Set(REPLACED.flatMap(({ names }) => names));
  const gone = new Set([...DROPPED, ...replaced]);
  const known = new Set(base.syscalls.flatMap(({ names }) => names));
  const unknown = DROPPED.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`${BASE} does not have ${unknown.join(", ")}`);
  const kept = base.syscalls.flatMap(({ names, ...rule }) => {
    const left = names.filter((name) => !gone.has(name));
    return left.length > 0 ? [{ names: left, ...rule }] : [];
  });
  // No architectures: the node's own and no other, so that 32-bit programs make no call.
  return { defaultAction: base.defaultAction, syscalls: [...kept, ...REPLACED] };
}

function configMap(profile: string, install: string): string {
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "seccomp", namespace: "agentic-node" },
    data: { "chrome.json": profile, "install.ts": install },
  };
  return `# Written by scripts/seccomp.ts: npm run generate.\n${stringify(object, { lineWidth: 0 })}`;
}

/** Lists of names as lines, not a name a line. */
function format(profile: SeccompProfile): string {
  const lines = profile.syscalls.map((rule) => `    ${JSON.stringify(rule)}`);
  return `{\n  "defaultAction": "${profile.defaultAction}",\n  "syscalls": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

if (import.meta.main) {
  const at = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));
  const read = (file: string): string => {
    try {
      return readFileSync(at(file), "utf8");
    } catch {
      return "";
    }
  };
  const profile = format(chromeProfile(JSON.parse(read(BASE))));
  const written = Object.entries({ [PROFILE]: profile, [CONFIG_MAP]: configMap(profile, read(INSTALL)) });
  const stale = written.filter(([file, text]) => read(file) !== text);
  if (!process.argv.includes("--check")) for (const [file, text] of stale) writeFileSync(at(file), text);
  else if (stale.length > 0) {
    console.error(`out of date: ${stale.map(([file]) => file).join(", ")}; run 'npm run generate'`);
    process.exit(1);
  }
}
