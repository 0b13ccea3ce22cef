import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { install } from "../../config/seccomp/install.ts";
import { productManifests } from "../../scripts/deploy/manifests.ts";
import { chromeProfile, type SeccompProfile } from "../../scripts/seccomp.ts";

const read = (name: string): string => readFileSync(new URL(`../../config/${name}`, import.meta.url), "utf8");
const base: SeccompProfile = JSON.parse(read("seccomp/containerd-2.3.4.json"));
const profile: SeccompProfile = JSON.parse(read("seccomp/chrome.json"));

/** Calls that some rule lets through, whatever their arguments. */
const allowedBy = ({ syscalls }: SeccompProfile): Set<string> =>
  new Set(syscalls.filter(({ action }) => action === "SCMP_ACT_ALLOW").flatMap(({ names }) => names));

describe("the pool's seccomp profile", () => {
  test("is what is derived from containerd's, and what nodes get", () => {
    expect(profile).toEqual(chromeProfile(base));
    expect(JSON.parse(parse(read("seccomp-profile.yaml")).data["chrome.json"])).toEqual(profile);
    expect(profile.defaultAction).toBe("SCMP_ACT_ERRNO");
  });

  test("allows, beyond containerd's, what Chrome's sandbox is made of and no more", () => {
    const beyond = [...allowedBy(profile)].filter((name) => !allowedBy(base).has(name));
    expect(beyond.toSorted()).toEqual(["chroot", "unshare"]);
  });

  test.each([
    ..."ptrace process_vm_readv process_vm_writev bpf perf_event_open userfaultfd keyctl add_key request_key".split(
      " ",
    ),
    ..."mount umount2 pivot_root setns open_by_handle_at name_to_handle_at fsopen move_mount mount_setattr".split(" "),
    ..."io_uring_setup io_uring_enter io_uring_register io_setup kexec_load kexec_file_load reboot swapon".split(" "),
    ..."init_module finit_module delete_module personality modify_ldt pidfd_getfd kcmp quotactl acct syslog".split(" "),
  ])("refuses %s", (name) => {
    expect(allowedBy(profile)).not.toContain(name);
  });

  test("answers clone3 as a kernel without it: its flags are behind a pointer, which no filter reads", () => {
    expect(profile.syscalls.filter(({ names }) => names.includes("clone3"))).toEqual([
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
    ]);
  });

  test("lets no rule without arguments allow what only some arguments are allowed for", () => {
    for (const name of ["clone", "unshare", "socket"])
      for (const { names, args } of profile.syscalls)
        if (names.includes(name)) expect(args?.length ?? 0, name).toBeGreaterThan(0);
  });

  test("is of the node's own architecture: no calls of 32-bit programs", () => {
    expect(profile).not.toHaveProperty("architectures");
    expect(allowedBy(profile)).not.toContain("socketcall");
  });

  test("is not derived from a base that lacks what is taken away", () => {
    expect(() => chromeProfile({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [] })).toThrow(/ptrace/);
  });

  test("is what the pool's pods run under, at the path where nodes get it", () => {
    const pool = productManifests().find(
      ({ kind, metadata }) => kind === "Deployment" && metadata.name === "browserless",
    );
    const node = productManifests().find(({ kind }) => kind === "DaemonSet");
    const pod = (manifest: unknown) => (manifest as { spec: { template: { spec: object } } }).spec.template.spec;
    expect(pod(pool)).toMatchObject({
      securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "agentic/chrome.json" } },
    });
    expect(pod(node)).toMatchObject({
      volumes: [{ configMap: { name: "seccomp" } }, { hostPath: { path: "/var/lib/kubelet/seccomp/agentic" } }],
      containers: [{ args: ["/profile/chrome.json", "/kubelet"] }],
    });
  });
});

describe("a node's copy", () => {
  let folder: string;
  let source: string;
  let target: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "agentic-seccomp-"));
    source = join(folder, "chrome.json");
    target = join(folder, "kubelet", "agentic");
    writeFileSync(source, '{"version":1}');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const copy = () => readFileSync(join(target, "chrome.json"), "utf8");

  test("is made, made again when its source changes, and left alone otherwise", () => {
    expect([install(source, target), copy()]).toEqual([true, '{"version":1}']);
    expect(install(source, target)).toBe(false);
    writeFileSync(source, '{"version":2}');
    expect([install(source, target), copy()]).toEqual([true, '{"version":2}']);
    expect(readdirSync(target)).toEqual(["chrome.json"]);
  });

  test("is put right when somebody changed it", () => {
    install(source, target);
    writeFileSync(join(target, "chrome.json"), "{}");
    expect([install(source, target), copy()]).toEqual([true, '{"version":1}']);
  });

  test("stays as it is when its source is no profile", () => {
    install(source, target);
    writeFileSync(source, "{");
    expect(() => install(source, target)).toThrow(SyntaxError);
    expect(copy()).toBe('{"version":1}');
  });
});
