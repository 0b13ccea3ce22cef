/**
 * `make release KEY=FILE`: what a release consists of, into dist/release/VERSION: image, chart, packages, plugin, SBOM, provenance, checksums,
 * signed. DRAFT=1: without a key, and of a tree with changes. Publishes nothing.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packAgent } from "./agent-package.ts";
import { packCli } from "./cli-package.ts";
import { basesFor } from "./image/bases.ts";
import { output } from "./image/command.ts";
import { findEngine } from "./image/engine.ts";
import { makeImage, PRODUCT } from "./image/image.ts";
import { root } from "./npm-package.ts";
import { archive } from "./release/archive.ts";
import { artifactsIn, checksums } from "./release/checksums.ts";
import { krewManifest } from "./release/krew.ts";
import { packPlugin } from "./release/plugin.ts";
import { IN_TOTO, provenanceOf } from "./release/provenance.ts";
import { problemsOf } from "./release/ready.ts";
import { envelope, publicKeyOf, readKey, signatureOf } from "./release/sign.ts";
import { readSbom } from "./sbom.ts";

const { values } = parseArgs({ options: { key: { type: "string" }, draft: { type: "boolean", default: false } } });
try {
  await release();
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function release(): Promise<void> {
  const startedAt = new Date();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const problems = problemsOf({
    version,
    changelog: readFileSync(join(root, "CHANGELOG.md"), "utf8"),
    changes: output("git", ["-C", root, "status", "--porcelain"]) ?? "this is no git checkout",
    hasKey: values.key !== undefined,
  });
  if (problems.length > 0 && !values.draft)
    throw new Error(`${problems.join("\n  ")}\n  Or make a draft: make release DRAFT=1`);
  const key = values.key === undefined ? undefined : readKey(readFileSync(values.key, "utf8"));
  const revision = output("git", ["-C", root, "rev-parse", "HEAD"]) ?? "";

  const folder = join(root, "dist/release", version);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);

  archive(file(`agentic-${version}.tgz`), join(root, "charts"), ["agentic"]);
  await packAgent(folder);
  await packCli(folder);
  const plugin = `kubectl-agentic-${version}.tar.gz`;
  await packPlugin(root, file(plugin));
  writeFileSync(file(`functions-${version}.cdx.json`), `${JSON.stringify(readSbom(root), null, 2)}\n`);
  const engine = await findEngine();
  const { tar } = await makeImage(engine, basesFor(engine), PRODUCT);
  cpSync(tar, file(`functions-${version}.oci.tar`));

  const made = artifactsIn(folder);
  const archived = made.find(({ name }) => name === plugin);
  if (archived) writeFileSync(file("agentic.krew.yaml"), krewManifest(version, archived));
  const artifacts = artifactsIn(folder);
  writeFileSync(file("SHA256SUMS"), checksums(artifacts));
  if (key) {
    const statement = provenanceOf(artifacts, { version, revision, startedAt, finishedAt: new Date() });
    writeFileSync(file("provenance.intoto.json"), JSON.stringify(envelope(IN_TOTO, JSON.stringify(statement), key)));
    writeFileSync(file("SHA256SUMS.sig"), signatureOf(readFileSync(file("SHA256SUMS")), key));
    writeFileSync(file("release.pub"), publicKeyOf(key));
  }
  process.stdout.write(checksums(artifactsIn(folder)));
  console.log(`release: ${folder}${key ? "" : " (a draft: not signed)"}`);
}
