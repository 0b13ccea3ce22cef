import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const DEBIAN = "/usr/lib/postgresql";

/** The folder of Debian's newest PostgreSQL binaries; installed by apt where it is missing. */
export function postgresBinaries(): string {
  if (!existsSync(DEBIAN)) {
    console.log("bench/checkpoint: apt-get install postgresql, for DBOS (a minute)");
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "postgresql"], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const newest = readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a))[0];
  return join(DEBIAN, newest ?? "", "bin");
}

/** A private server in a temporary folder with its default settings: fsync and synchronous_commit are on. @returns its URL */
export async function startPostgres(binaries: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "agentic-bench-postgres-"));
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })));
  // PostgreSQL refuses to run as root.
  chownSync(folder, uid ?? 0, gid ?? 0);
  const user = { ...(uid ? { uid } : {}), ...(gid ? { gid } : {}), cwd: folder };
  execFileSync(join(binaries, "initdb"), ["-A", "trust", "-U", "postgres", "-D", join(folder, "data")], {
    ...user,
    stdio: "ignore",
  });
  spawn(join(binaries, "postgres"), ["-D", join(folder, "data"), "-k", folder, "-h", "127.0.0.1"], {
    ...user,
    stdio: "ignore",
  });
  for (let tries = 0; tries < 100; tries++) {
    try {
      execFileSync(join(binaries, "pg_isready"), ["-h", "127.0.0.1"], { stdio: "ignore" });
      return "postgresql://postgres@127.0.0.1:5432/bench_dbos_sys";
    } catch {
      await sleep(100);
    }
  }
  throw new Error("PostgreSQL did not start");
}
