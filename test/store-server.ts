import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Settings } from "../lib/edges/artifacts/s3-client.ts";
import { readManifests } from "../scripts/deploy/manifests.ts";
import { built } from "./cluster/built.ts";
import { freePort } from "./free-port.ts";

const ROOT = join(import.meta.dirname, "..");

export interface TestStore {
  readonly s3: S3Settings;
  /** Where it takes commands on accounts. */
  readonly adminEndpoint: string;
  /** Each folder in it is a bucket, each file below that an object. */
  readonly folder: string;
  readonly pid: number;
  /** kill -9, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, at the same address, on what is on disk; `login`: of another administrator. */
  restart(login?: Pick<S3Settings, "accessKeyId" | "secretAccessKey">): Promise<void>;
  stop(): Promise<void>;
}

/** A private versitygw on a free port of this machine, over a temporary folder. The first use builds it: allow BUILD_MS. */
export async function startStore(region = "us-east-1"): Promise<TestStore> {
  const program = join(await built("versitygw"), "versitygw");
  const volume = await mkdtemp(join(tmpdir(), "agentic-store-"));
  for (const folder of ["buckets", "accounts"]) await mkdir(join(volume, folder));
  const address = `127.0.0.1:${await freePort()}`;
  const admin = `127.0.0.1:${await freePort()}`;
  const s3 = {
    endpoint: `http://${address}`,
    region,
    accessKeyId: "agentic",
    secretAccessKey: "a-secret-of-the-tests",
  };
  let child = await launch(program, volume, { address, admin }, s3);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    s3,
    adminEndpoint: `http://${admin}`,
    folder: join(volume, "buckets"),
    get pid() {
      return child.pid ?? 0;
    },
    kill,
    async restart(login) {
      child = await launch(program, volume, { address, admin }, { ...s3, ...login });
    },
    async stop() {
      await kill();
      await rm(volume, { recursive: true, force: true });
    },
  };
}

/** As config/ starts it. */
function containerArgs(): string[] {
  const manifests = readManifests(join(ROOT, "config/store.yaml"));
  return manifests.flatMap(({ kind, ["spec"]: spec }) => {
    if (kind !== "Deployment") return [];
    const { template } = spec as { template: { spec: { containers: { args: string[] }[] } } };
    return template.spec.containers.flatMap(({ args }) => args);
  });
}

async function launch(
  program: string,
  volume: string,
  { address, admin }: { readonly address: string; readonly admin: string },
  s3: S3Settings,
): Promise<ChildProcess> {
  const here: Readonly<Record<string, string>> = {
    ":7070": address,
    ":7071": admin,
    "/accounts": join(volume, "accounts"),
    "/data": join(volume, "buckets"),
  };
  const args = containerArgs().map((arg) => here[arg] ?? arg);
  const child = spawn(program, ["--region", s3.region, ...args], {
    env: { ROOT_ACCESS_KEY: s3.accessKeyId, ROOT_SECRET_KEY: s3.secretAccessKey },
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (let waited = 0; waited < 60_000 && child.exitCode === null; waited += 20) {
    const answered = await fetch(`http://${address}/_/health`).catch(() => undefined);
    if (answered?.ok) return child;
    await sleep(20);
  }
  child.kill("SIGKILL");
  throw new Error("versitygw did not start: its last words are above");
}
