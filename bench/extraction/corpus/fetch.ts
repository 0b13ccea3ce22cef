/** Packages of the npm registry, in the cache folder: fetched once, and only what has the integrity that was written down. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cache } from "../../../test/cluster/paths.ts";
import type { CorpusPackage } from "./page.ts";

/** @returns the folder of the package's files. @throws Error when the tarball is another one */
export function fetchPackage({ name, version, integrity }: CorpusPackage): string {
  const digest = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
  const named = `${name.replace(/[^a-z0-9.]+/gi, "-")}-${version}`;
  const folder = join(cache, "corpus", `${named}-${digest.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const npm = ["pack", `${name}@${version}`, "--json", "--pack-destination", partial, "--loglevel=error"];
    const packed = JSON.parse(execFileSync("npm", npm, { encoding: "utf8" })) as { filename: string }[];
    const tarball = join(partial, packed[0]?.filename ?? "");
    assertIntegrity(`${name}@${version}`, readFileSync(tarball), integrity);
    // Not every package calls its folder "package".
    execFileSync("tar", ["-xzf", tarball, "-C", partial, "--strip-components=1", "--no-same-owner"]);
    rmSync(tarball);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

/** @throws Error when the bytes are others than those that were written down */
export function assertIntegrity(what: string, bytes: Uint8Array, integrity: string): void {
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (found !== integrity) throw new Error(`${what} has integrity ${found}, not ${integrity}`);
}
