import { join } from "node:path";
import { folderOf } from "../binaries.ts";
import { home } from "../context.ts";
import { healthy } from "./health.ts";
import type { Part } from "./part.ts";

export const etcdURL = "http://127.0.0.1:12379";
const peerURL = "http://127.0.0.1:12380";

export const etcd: Part = {
  name: "etcd",
  command: join(folderOf("etcd"), "server"),
  args: [
    `--data-dir=${join(home, "etcd")}`,
    `--listen-client-urls=${etcdURL}`,
    `--advertise-client-urls=${etcdURL}`,
    `--listen-peer-urls=${peerURL}`,
    `--initial-advertise-peer-urls=${peerURL}`,
    `--initial-cluster=default=${peerURL}`,
    "--log-level=warn",
    // A test cluster outlives no power failure, and a kill -9 needs no fsync.
    "--unsafe-no-fsync",
  ],
  ready: () => healthy(`${etcdURL}/health`),
};
