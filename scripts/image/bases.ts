import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { imageCache } from "./cache.ts";
import { installDebian, isRoot, output, run, timed } from "./command.ts";
import { type Engine, runBuildah } from "./engine.ts";
import { hashText } from "./inputs.ts";

/** Build arguments of our Dockerfiles: a Debian, and one with Node 24 and npm. Absent: the public ones that they name. */
export interface Bases {
  readonly BASE?: string;
  readonly BUILD?: string;
}

const SUITE = "bookworm";
const PACKAGES = ["ca-certificates", "libstdc++6"];
const NPM = "npm@11";
/** dpkg need not wait for the disk, and nobody reads manuals in a container. */
const DPKG =
  "force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n";

/** Public bases where docker or podman is; with buildah as root both are made here, from Debian's packages. */
export function basesFor(engine: Engine): Bases {
  if (engine.name !== "buildah" || !isRoot()) return {};
  const BASE = `dev.local/agentic/base:${hashText(SUITE, ...PACKAGES, DPKG)}`;
  return { BASE, BUILD: `dev.local/agentic/build:${hashText(BASE, NPM, nodeVersion())}` };
}

/** Makes those of the two that are missing. */
export async function makeBases(engine: Engine, { BASE, BUILD }: Bases, root: string): Promise<void> {
  if (BASE === undefined || BUILD === undefined) return;
  if (!engine.has(BASE)) await timed(`${BASE}, by debootstrap`, () => makeBase(BASE));
  if (!engine.has(BUILD))
    await timed(`${BUILD}, Node ${nodeVersion()} and npm on it`, () => makeBuild(BUILD, BASE, root));
}

async function makeBase(tag: string): Promise<void> {
  await installDebian(["debootstrap"]);
  const folder = mkdtempSync(join(imageCache, "base-"));
  const tar = `${folder}.tar`;
  try {
    const include = `--include=${PACKAGES.join(",")}`;
    await run("debootstrap", ["--variant=minbase", include, SUITE, folder, mirror()]);
    // Where this machine gets its packages is nothing that an image should know.
    for (const path of ["etc/apt/sources.list", "var/lib/apt/lists", "var/cache/apt", "usr/share/doc", "usr/share/man"])
      rmSync(join(folder, path), { recursive: true, force: true });
    writeFileSync(join(folder, "etc/dpkg/dpkg.cfg.d/container"), DPKG);
    await run("tar", ["-C", folder, "--exclude=./dev/*", "--exclude=./proc/*", "-cf", tar, "."]);
    await commit(tag, "scratch", [[tar, "/"]]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(tar, { force: true });
  }
}

async function makeBuild(tag: string, base: string, root: string): Promise<void> {
  const folder = mkdtempSync(join(imageCache, "npm-"));
  try {
    await run("npm", ["install", "--global", "--prefix", folder, "--loglevel=error", NPM]);
    await commit(tag, base, [
      [folder, "/usr/local"],
      [join(root, "node_modules/node/bin/node"), "/usr/local/bin/node"],
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An image of a base with files added. */
async function commit(
  tag: string,
  base: string,
  files: readonly (readonly [from: string, to: string])[],
): Promise<void> {
  const container = `agentic-${process.pid}`;
  await runBuildah("from", "--pull-never", "--name", container, base);
  try {
    for (const [from, to] of files) await runBuildah("add", "--quiet", container, from, to);
    await runBuildah("commit", "--quiet", "--format", "oci", container, tag);
  } finally {
    await runBuildah("rm", container);
  }
}

/** The mirror that apt uses on this machine. */
function mirror(): string {
  const targets =
    output("apt-get", ["indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]) ?? "";
  const line = targets.split("\n").find((target) => target.startsWith(`${SUITE} `));
  if (line === undefined)
    throw new Error(`apt has no source of Debian ${SUITE} here: run 'apt-get update', or use docker or podman`);
  return line.slice(SUITE.length + 1);
}

function nodeVersion(): string {
  const { version } = JSON.parse(
    readFileSync(new URL("../../node_modules/node/package.json", import.meta.url), "utf8"),
  );
  return version as string;
}
