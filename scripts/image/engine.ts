import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { imageCache } from "./cache.ts";
import { installDebian, output, run } from "./command.ts";

export interface Build {
  readonly tag: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Files that build steps may read, by id; they are in no layer. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** `gzip` is what registries are given; `fast` takes a third of the time, to write and to load. */
export type Compression = "gzip" | "fast";

/** A program that builds images from a Dockerfile. */
export interface Engine {
  readonly name: "buildah" | "podman" | "docker";
  has(tag: string): boolean;
  build(build: Build): Promise<void>;
  /** Writes an OCI archive. */
  save(tag: string, tar: string, compression: Compression): Promise<void>;
  /** Takes in the image of such an archive, under the tag that it was saved with. */
  load(tar: string): Promise<void>;
  /** To a registry, as `name`: REGISTRY/NAME:TAG. @returns the manifest's digest there */
  push(tag: string, name: string): Promise<string>;
  /** Removes what no later build is likely to use. */
  tidy(): Promise<void>;
}

/** Apart from the machine's own images. */
const STORAGE = ["--root", join(imageCache, "storage"), "--runroot", join(imageCache, "run")];
/** The machine's own package sources; Debian's name for them inside is the same. */
const APT = "/etc/apt";

const FLAGS: Readonly<Record<Compression, readonly string[]>> = {
  gzip: ["--compression-format", "gzip"],
  fast: ["--compression-format", "zstd", "--compression-level", "1"],
};
const KEPT_IMAGES = 2;
/** Of untagged ones: stages that a later build finds again, such as that with the npm packages. */
const KEPT_STAGES = 8;

/** The first engine that works; where there is none, buildah is installed: it needs no daemon. */
export async function findEngine(): Promise<Engine> {
  if (output("buildah", ["--version"]) !== undefined) return buildah;
  if (output("podman", ["info"]) !== undefined) return podman;
  // The client alone is of no use.
  if (output("docker", ["info"]) !== undefined) return docker;
  await installDebian(["buildah"]);
  return buildah;
}

/** buildah with its storage. */
export function runBuildah(...args: readonly string[]): Promise<void> {
  return run("buildah", [...STORAGE, ...args]);
}

const buildah: Engine = {
  name: "buildah",
  has: (tag) => output("buildah", [...STORAGE, "inspect", "--type", "image", tag]) !== undefined,
  async build(build) {
    const apt = existsSync(`${APT}/apt.conf.d`) ? ["--volume", `${APT}:${APT}:ro`] : [];
    // chroot: works in containers and micro-VMs that lend no namespaces.
    const how = ["--isolation", "chroot", "--layers", "--format", "oci", ...apt];
    await runBuildah("build", ...how, ...common(build));
  },
  save: (tag, tar, compression) =>
    runBuildah("push", "--quiet", ...FLAGS[compression], tag, `oci-archive:${tar}:${tag}`),
  load: (tar) => runBuildah("pull", "--quiet", `oci-archive:${tar}`),
  push: (tag, name) => pushByFile(runBuildah, tag, name),
  async tidy() {
    const listed = output("buildah", [...STORAGE, "images", "--format", "{{.ID}} {{.Name}} {{.Tag}}"]) ?? "";
    for (const image of olderThanKept(listed.split("\n"))) {
      await runBuildah("rmi", image).catch(() => {
        // Another image stands on it: it goes when that one goes.
      });
    }
  },
};

/** Of lines `ID NAME TAG`, newest first: all but the newest of each name. */
function olderThanKept(lines: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return lines.flatMap((line) => {
    const [id, name, tag] = line.split(/\s+/);
    if (id === undefined || name === undefined) return [];
    const isStage = name === "<none>";
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    if (before < (isStage ? KEPT_STAGES : KEPT_IMAGES)) return [];
    return [isStage ? id : `${name}:${tag}`];
  });
}

const podman: Engine = {
  name: "podman",
  has: (tag) => output("podman", ["image", "inspect", tag]) !== undefined,
  build: (build) => run("podman", ["build", "--format", "oci", ...common(build)]),
  save: (tag, tar, compression) =>
    run("podman", ["push", "--quiet", ...FLAGS[compression], tag, `oci-archive:${tar}:${tag}`]),
  load: (tar) => run("podman", ["load", "--quiet", "--input", tar]),
  push: (tag, name) => pushByFile((...args) => run("podman", args), tag, name),
  tidy: async () => {},
};

/** Since 25 it saves OCI archives. */
const docker: Engine = {
  name: "docker",
  has: (tag) => output("docker", ["image", "inspect", tag]) !== undefined,
  build: (build) => run("docker", ["build", ...common(build)], { env: { DOCKER_BUILDKIT: "1" } }),
  save: (tag, tar) => run("docker", ["save", "--output", tar, tag]),
  load: (tar) => run("docker", ["load", "--quiet", "--input", tar]),
  async push(tag, name) {
    await run("docker", ["tag", tag, name]);
    await run("docker", ["push", "--quiet", name]);
    const known = output("docker", ["image", "inspect", "--format", "{{json .RepoDigests}}", name]) ?? "[]";
    const repository = name.slice(0, name.lastIndexOf(":"));
    const pushed = (JSON.parse(known) as string[]).find((one) => one.startsWith(`${repository}@`));
    if (pushed === undefined) throw new Error(`docker does not say under which digest it pushed ${name}`);
    return pushed.slice(repository.length + 1);
  },
  tidy: async () => {},
};

/** What buildah and podman have in common. */
async function pushByFile(
  engine: (...args: readonly string[]) => Promise<void>,
  tag: string,
  name: string,
): Promise<string> {
  const folder = mkdtempSync(join(imageCache, "push-"));
  const file = join(folder, "digest");
  // As docker does: on this machine a registry need not have a certificate.
  const tls = /^(localhost|127\.[\d.]+)[:/]/.test(name) ? ["--tls-verify=false"] : [];
  try {
    await engine("push", "--quiet", "--digestfile", file, ...tls, tag, `docker://${name}`);
    return readFileSync(file, "utf8").trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function common({ tag, context, dockerfile, args, labels, secrets }: Build): string[] {
  return [
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    ...Object.entries(secrets).flatMap(([id, path]) => ["--secret", `id=${id},src=${path}`]),
    ...["--tag", tag, "--file", dockerfile, context],
  ];
}
