// System calls that the browser pool's profile refuses, made by a process in the pod, with arguments by which an unfiltered kernel would
// mostly answer otherwise. Perl is in every Debian and Ubuntu, and makes any call by its number.

const [EPERM, ENOSYS, DONE] = [1, 38, 0];
const CLONE_NEWNS = 0x2_0000;
const CLONE_NEWUSER = 0x1000_0000;
const CLONE_NEWNET = 0x4000_0000;
const ADDR_NO_RANDOMIZE = 0x4_0000;
const UFFD_USER_MODE_ONLY = 1;

/** By what it is: the call's number on x86-64 and arm64, its arguments, the errno expected. */
const CALLS: Readonly<Record<string, readonly [x64: number, arm64: number, args: readonly number[], errno: number]>> = {
  "ptrace TRACEME": [101, 117, [0, 0, 0, 0], EPERM],
  process_vm_readv: [310, 270, [1, 0, 0, 0, 0, 0], EPERM],
  keyctl: [250, 219, [9999], EPERM],
  add_key: [248, 217, [0, 0, 0, 0, 0], EPERM],
  request_key: [249, 218, [0, 0, 0, 0], EPERM],
  bpf: [321, 280, [0, 0, 0], EPERM],
  perf_event_open: [298, 241, [0, 0, 0, 0, 0], EPERM],
  io_uring_setup: [425, 425, [1, 0], EPERM],
  io_setup: [206, 0, [1, 0], EPERM],
  userfaultfd: [323, 282, [UFFD_USER_MODE_ONLY], EPERM],
  kexec_load: [246, 104, [0, 0, 0, 0], EPERM],
  mount: [165, 40, [0, 0, 0, 0, 0], EPERM],
  setns: [308, 268, [99, 0], EPERM],
  name_to_handle_at: [303, 264, [99, 0, 0, 0, 0], EPERM],
  open_by_handle_at: [304, 265, [99, 0, 0], EPERM],
  vmsplice: [278, 75, [99, 0, 0, 0], EPERM],
  "personality ADDR_NO_RANDOMIZE": [135, 92, [ADDR_NO_RANDOMIZE], EPERM],
  "clone3, so that clone is taken instead": [435, 435, [0, 0], ENOSYS],
  "socket AF_PACKET": [41, 198, [17, 2, 0], EPERM],
  "socket AF_ALG": [41, 198, [38, 5, 0], EPERM],
  "socket AF_VSOCK": [41, 198, [40, 1, 0], EPERM],
  "socket AF_INET, raw": [41, 198, [2, 3, 1], EPERM],
  "socket AF_NETLINK, netfilter": [41, 198, [16, 3, 12], EPERM],
  "socket AF_NETLINK, routes: allowed": [41, 198, [16, 3, 0], DONE],
  "socket AF_INET, TCP: allowed": [41, 198, [2, 1, 0], DONE],
  // From here on in a user namespace of its own, with all capabilities in it.
  "unshare, user: allowed": [272, 97, [CLONE_NEWUSER], DONE],
  "unshare, mount": [272, 97, [CLONE_NEWNS], EPERM],
  "unshare, network": [272, 97, [CLONE_NEWNET], EPERM],
  "mount, with all capabilities": [165, 40, [0, 0, 0, 0, 0], EPERM],
  "socket AF_PACKET, with all capabilities": [41, 198, [17, 2, 0], EPERM],
};

/** The errno of each. */
export const forbidden = Object.fromEntries(Object.entries(CALLS).map(([what, [, , , errno]]) => [what, errno]));

/** @returns the errno that each call gave; 0 where it was made */
export async function tryForbidden(exec: (...command: string[]) => Promise<string>): Promise<Record<string, number>> {
  const isArm = (await exec("uname", "-m")).trim() === "aarch64";
  const calls = Object.values(CALLS).map(([x64, arm64, args]) => `[${[isArm ? arm64 : x64, ...args].join(",")}]`);
  // Perl's syscall takes its first argument apart from the others.
  const script = `for (${calls.join(",")}) { my ($n, @a) = @$_; $! = 0; print +(syscall($n, @a) == -1 ? $!+0 : 0), "\\n" }`;
  const answers = (await exec("perl", "-e", script)).trim().split("\n");
  return Object.fromEntries(Object.keys(CALLS).map((what, index) => [what, Number(answers[index])]));
}
