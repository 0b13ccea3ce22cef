import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

const publicKey = () =>
  generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).publicKey;

test("a process whose Secret changes says so, and ends as on SIGTERM", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agentic-secrets-"));
  const STEP_TOKEN_PUBLIC_KEY = publicKey();
  const put = (key: string) => writeFile(join(folder, "STEP_TOKEN_PUBLIC_KEY"), key);
  await put(STEP_TOKEN_PUBLIC_KEY);
  const env = {
    PATH: process.env["PATH"],
    FUNCTION: "egress",
    PORT: "0",
    SECRETS_FOLDER: folder,
    STEP_TOKEN_PUBLIC_KEY,
  };
  const egress = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "ignore", "pipe"] });
  try {
    let said = "";
    egress.stderr.on("data", (data) => (said += String(data)));
    await expect.poll(() => said, { timeout: 20_000 }).toContain("listening");
    const ended = once(egress, "exit");
    const another = publicKey();
    await put(another);
    expect(await ended, said).toEqual([0, null]);
    expect(said).toContain('"changed":["STEP_TOKEN_PUBLIC_KEY"]');
    expect(said).not.toContain(another.split("\n")[1]);
  } finally {
    egress.kill("SIGKILL");
    await rm(folder, { recursive: true });
  }
});
