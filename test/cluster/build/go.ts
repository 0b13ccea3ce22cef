import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cache } from "../paths.ts";
import { fail, say, tail } from "../say.ts";
import { hashFiles } from "./hash.ts";
import type { Upstream } from "./upstreams.ts";

const modules = join(import.meta.dirname, "..", "modules");

/** Where an upstream's binaries are, or will be: another lock file or recipe is another folder. */
export function binaries(upstream: Upstream): string {
  const { name, patterns, ldflags, tags, manifests } = upstream;
  return join(
    cache,
    "bin",
    `${name}-${hashFiles(join(modules, name), JSON.stringify({ patterns, ldflags, tags, manifests }))}`,
  );
}

/** `go install` of the module's tools into the cache; nothing to do when they are there. */
export async function goBuild(upstream: Upstream): Promise<void> {
  const folder = binaries(upstream);
  if (existsSync(folder)) return;
  const started = Date.now();
  say(`build ${upstream.name}: about ${upstream.about} on two cores, when nothing is cached`);
  const partial = `${folder}.${process.pid}`;
  const log = join(cache, "logs", `build-${upstream.name}.log`);
  mkdirSync(partial, { recursive: true });
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "w");
  const go = spawn(
    "nice",
    [
      ...["-n", "10", "go", "install", "-mod=readonly", "-trimpath"],
      `-ldflags=-s -w ${upstream.ldflags ?? ""}`,
      `-tags=${upstream.tags ?? ""}`,
      ...(upstream.patterns ?? ["tool"]),
    ],
    {
      cwd: join(modules, upstream.name),
      env: { ...process.env, GOBIN: partial, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" },
      stdio: ["ignore", output, output],
    },
  );
  const [code] = await once(go, "exit");
  if (code !== 0) {
    rmSync(partial, { recursive: true });
    fail(`build ${upstream.name}: go install ended with ${code}; the end of ${log}:\n${tail(log)}`);
  }
  for (const [name, [module, from]] of Object.entries(upstream.manifests ?? {})) {
    const options = { cwd: join(modules, upstream.name), encoding: "utf8" } as const;
    const source = execFileSync("go", ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module], options).trim();
    cpSync(join(source, from), join(partial, "manifests", name), { recursive: true });
    execFileSync("chmod", ["-R", "u+w", join(partial, "manifests", name)]);
  }
  // Whole or not at all: two builds at once end with one of two equal folders.
  if (existsSync(folder)) rmSync(partial, { recursive: true });
  else renameSync(partial, folder);
  say(`build ${upstream.name}: ${Math.round((Date.now() - started) / 1000)} s`);
}
