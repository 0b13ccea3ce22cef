import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { folderOf } from "./binaries.ts";
import { attempt } from "./run.ts";

/** For the hook that builds: on two busy cores func takes ten minutes. */
export const BUILD_MS = 30 * 60_000;

/** The folder of an upstream's binaries, built from source when it is not cached, which is told line by line. */
export async function built(name: Parameters<typeof folderOf>[0]): Promise<string> {
  const folder = folderOf(name);
  if (existsSync(folder)) return folder;
  if ((await attempt("go", ["version"])) === undefined)
    throw new Error(
      `these tests need ${name}, which is built from source, and Go is missing: install Go (test/cluster/modules/${name}/go.mod says which) and run this again`,
    );
  // A process of its own: it ends itself where it fails.
  const main = join(import.meta.dirname, "main.ts");
  const [code] = await once(spawn(process.execPath, [main, "build", name], { stdio: "inherit" }), "exit");
  if (code !== 0) throw new Error(`${name} could not be built: what Go said is above`);
  return folder;
}
