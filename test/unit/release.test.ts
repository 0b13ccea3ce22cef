import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { archive } from "../../scripts/release/archive.ts";
import { artifactsIn, checksums } from "../../scripts/release/checksums.ts";
import { provenanceOf } from "../../scripts/release/provenance.ts";
import { problemsOf } from "../../scripts/release/ready.ts";
import { envelope, publicKeyOf, readKey, signatureOf } from "../../scripts/release/sign.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "agentic-release-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what keeps a tree from being released", () => {
  const ready = { version: "0.2.0", changelog: "# Changelog\n\n## 0.2.0 (2026-12-01)\n", changes: "", hasKey: true };
  test.each([
    ["nothing", ready, []],
    ["no section of the changelog", { ...ready, changelog: "## Unreleased\n\n## 0.2.0-rc1\n" }, [/CHANGELOG.md/]],
    ["changes", { ...ready, changes: " M README.md" }, [/not committed/]],
    ["no key", { ...ready, hasKey: false }, [/KEY=FILE/]],
    ["all of it", { version: "1.0.0", changelog: "", changes: "?? x", hasKey: false }, [/1\.0\.0/, /commit/, /KEY/]],
  ])("%s", (_, candidate, expected) => {
    expect(problemsOf(candidate)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});

describe("signatures", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = readKey(privateKey.export({ type: "pkcs8", format: "pem" }).toString());

  /** openssl, as docs/releases.md has it. */
  function verify(bytes: Uint8Array | string, signature: string): string {
    const at = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const publicKey = at("release.pub", publicKeyOf(key));
    const der = at("signature", Buffer.from(signature, "base64"));
    const args = ["dgst", "-sha256", "-verify", publicKey, "-signature", der, at("signed", bytes)];
    try {
      return execFileSync("openssl", args, { encoding: "utf8" }).trim();
    } catch (error) {
      return (error as { stdout: string }).stdout.trim();
    }
  }

  test("openssl verifies that of the checksums, and refuses another file's", () => {
    const bytes = Buffer.from("abc  file\n");
    const signature = signatureOf(bytes, key);
    expect(verify(bytes, signature)).toBe("Verified OK");
    expect(verify("abd  file\n", signature)).toBe("Verification failure");
  });

  test("the provenance names each artifact, and its envelope is DSSE's", () => {
    const at = new Date("2026-12-01T00:00:00Z");
    const origin = { version: "0.2.0", revision: "abc", startedAt: at, finishedAt: at };
    const statement = provenanceOf([{ name: "a.tgz", sha256: "00" }], origin);
    expect(statement.subject).toEqual([{ name: "a.tgz", digest: { sha256: "00" } }]);
    const type = "application/vnd.in-toto+json";
    const { payload, signatures } = envelope(type, JSON.stringify(statement), key) as {
      payload: string;
      signatures: { sig: string }[];
    };
    const text = Buffer.from(payload, "base64").toString();
    expect(JSON.parse(text)).toEqual(statement);
    const pae = `DSSEv1 28 ${type} ${text.length} ${text}`;
    expect(verify(pae, signatures[0]?.sig ?? "")).toBe("Verified OK");
  });

  test("a key that cosign does not know is refused with how to make one", () => {
    const other = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(() => readKey(other)).toThrow(/openssl ecparam/);
  });
});

test("the same content is the same archive, and its checksum is what sha256sum says", () => {
  const [inner, out] = [mkdtempSync(join(folder, "in-")), mkdtempSync(join(folder, "out-"))];
  writeFileSync(join(inner, "b"), "2");
  writeFileSync(join(inner, "a"), "1");
  archive(join(out, "one.tgz"), inner, ["."]);
  utimesSync(join(inner, "a"), 1_000, 1_000);
  archive(join(out, "two.tgz"), inner, ["."]);
  expect(readFileSync(join(out, "one.tgz")).equals(readFileSync(join(out, "two.tgz")))).toBe(true);
  writeFileSync(join(folder, "SUMS"), checksums(artifactsIn(out)));
  const checked = execFileSync("sha256sum", ["--check", join(folder, "SUMS")], { cwd: out, encoding: "utf8" });
  expect(checked).toBe("one.tgz: OK\ntwo.tgz: OK\n");
});
