import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { LICENCE_TYPE } from "../../lib/licence/licence.ts";
import { agentic } from "../e2e/cli.ts";
import { endServers } from "../e2e/processes.ts";
import { type Packed, packFolder, writeFixture } from "./fixture.ts";
import { CORRECTIONS, interrupt, startLocalRun, untilBegun } from "./local-run.ts";

/** Run folders of `agentic run`, by where the run stopped. */
export interface RecordedFolders {
  /** In the last node of one item's step, by a power cut. */
  readonly inStep: Packed;
  readonly atGate: Packed;
  readonly finished: Packed;
}

/** A licence, and the JWKS of who issued it. */
export interface RecordedLicence {
  readonly token: string;
  readonly keys: { readonly keys: object[] };
}

/** One run that is stopped twice. Needs no cluster. */
export async function recordFolders(version: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "agentic-record-"));
  try {
    let run = await startLocalRun(folder, { hang: "c" });
    await untilBegun(run, "look c write");
    await run.kill();
    await interrupt(run);
    const inStep = packRun(folder);
    run = await startLocalRun(folder);
    await run.command.said("Gate review waits");
    await interrupt(run);
    const atGate = packRun(folder);
    await run.kill();
    run = await startLocalRun(folder);
    await run.command.said("Gate review waits");
    const corrections = join(folder, "corrections.json");
    writeFileSync(corrections, JSON.stringify(CORRECTIONS));
    await agentic(["approve", "kept", "--out", folder, "--corrections", corrections]).ended;
    const { code, stderr } = await run.command.ended;
    await run.kill();
    if (code !== 0) throw new Error(`the run that is recorded ended with ${code}:\n${stderr}`);
    const recorded: RecordedFolders = { inStep, atGate, finished: packRun(folder) };
    writeFixture(version, "run-folders", recorded);
  } finally {
    await endServers(folder);
    rmSync(folder, { recursive: true });
  }
}

/** Without what a command only says of itself. */
function packRun(folder: string): Packed {
  const all = Object.entries(packFolder(folder));
  return Object.fromEntries(all.filter(([path]) => !/\.log$|^workload\.yaml$|^corrections\.json$/.test(path)));
}

/** Issued by a key that is thrown away. */
export async function recordLicence(version: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const kid = randomBytes(8).toString("hex");
  const now = Math.floor(Date.now() / 1000);
  const limits = { namespaces: 5, workloadsAtOnce: 50, itemsAMonth: 10_000 };
  const claims = { iss: "fixtures", sub: "A customer", plan: "team", iat: now, nbf: now, exp: now + 86_400, grace: 14 };
  const token = await new SignJWT({ ...claims, limits })
    .setProtectedHeader({ alg: "EdDSA", kid, typ: LICENCE_TYPE })
    .sign(privateKey);
  const recorded: RecordedLicence = { token, keys: { keys: [{ ...publicKey.export({ format: "jwk" }), kid }] } };
  writeFixture(version, "licence", recorded);
}
