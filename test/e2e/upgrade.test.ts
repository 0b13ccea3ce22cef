import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Packed, readFixture, unpackFolder, versions } from "../upgrade/fixture.ts";
import { CORRECTIONS, type LocalRun, startLocalRun } from "../upgrade/local-run.ts";
import type { RecordedFolders } from "../upgrade/record-local.ts";
import { agentic } from "./cli.ts";
import { endServers } from "./processes.ts";

// Run folders that a released version left, and the commands of today on them.

let folder: string;
let runs: LocalRun[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-upgrade-"));
  runs = [];
});
afterEach(async () => {
  for (const run of runs) {
    run.command.child.kill("SIGKILL");
    await run.kill();
  }
  await endServers(folder);
  await rm(folder, { recursive: true, force: true });
});

async function goOn(packed: Packed): Promise<LocalRun> {
  unpackFolder(packed, folder);
  const run = await startLocalRun(folder);
  runs.push(run);
  return run;
}

const state = () => JSON.parse(readFileSync(join(folder, "run.json"), "utf8"));
const command = (...args: string[]) => agentic([...args, "--out", folder]).ended;

describe.each(versions)("a run folder of %s", (version) => {
  const { inStep, atGate, finished } = readFixture<RecordedFolders>(version, "run-folders");

  test("stopped in a step: the step goes on from its checkpoint, and nothing that had ended is repeated", async () => {
    const run = await goOn(inStep);
    await run.command.said("Gate review waits");
    expect(run.begun()).toEqual(["look c write"]);
    expect((await command("approve", "kept")).code).toBe(0);
    expect((await run.command.ended).code).toBe(0);
    expect(run.begun()).toEqual(["look c write", "sum read", "sum think", "sum write"]);
  });

  test("stopped at its gate: the same findings wait, and are approved", async () => {
    const run = await goOn(atGate);
    await run.command.said("Gate review waits");
    const { digest } = state().reviews[0];
    expect(`${digest}`).toBe(digestOf(atGate));
    expect((await command("approve", "kept")).code).toBe(0);
    expect((await run.command.ended).code).toBe(0);
    expect(run.begun()).toEqual(["sum read", "sum think", "sum write"]);
  });

  test("finished: the run stays finished, its outputs are there, and its evidence holds", async () => {
    const run = await goOn(finished);
    const { code, stdout, stderr } = await run.command.ended;
    expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("Succeeded")]);
    expect(run.begun()).toEqual([]);
    expect(state().reviews).toMatchObject([{ decision: "approved", corrections: CORRECTIONS }]);
    expect(await command("outputs", "kept")).toMatchObject({ code: 0, stdout: expect.stringContaining("sum.txt") });
    const files = ["evidence.json", "sum.txt"].map((name) => join(folder, name));
    const key = join(folder, "signing-key.pem");
    expect(await agentic(["verify", ...files, "--key", key]).ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("The evidence holds"),
    });
  });
});

function digestOf(packed: Packed): string {
  const text = Buffer.from(packed["run.json"] ?? "", "base64").toString("utf8");
  return JSON.parse(text).reviews[0].digest;
}
