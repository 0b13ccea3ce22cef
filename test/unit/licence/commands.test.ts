import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// The issuing tool and `agentic licence`, as their users start them.

const file = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
function node(program: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [file(program), ...args], { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}
const issue = (...args: string[]) => node("scripts/issue-licence.ts", ...args);
const licence = (...args: string[]) => node("cli/agentic.ts", "licence", ...args);

const DAY_MS = 24 * 3_600_000;
const day = (from: number): string => new Date(Date.now() + from * DAY_MS).toISOString().slice(0, 10);
const ACME = ["--key", "own.jwk", "--customer", "ACME Ltd", "--plan", "team"];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-issue-"));
  await writeFile(join(folder, "keys.json"), (await issue("--new-key", "own.jwk")).stdout);
});
afterAll(() => rm(folder, { recursive: true }));

async function issued(name: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await issue(...ACME, ...args);
  expect([code, stderr]).toEqual([0, ""]);
  await writeFile(join(folder, name), stdout);
  return name;
}

test("a key is made for its owner alone, and not over another", async () => {
  expect((await stat(join(folder, "own.jwk"))).mode & 0o777).toBe(0o600);
  const before = await readFile(join(folder, "own.jwk"), "utf8");
  expect(await issue("--new-key", "own.jwk")).toMatchObject({ code: 1, stderr: expect.stringContaining("EEXIST") });
  expect(await readFile(join(folder, "own.jwk"), "utf8")).toBe(before);
  expect(await readFile(join(folder, "keys.json"), "utf8")).not.toContain('"d"');
});

test("what was issued is shown and counts, by the keys of its issuer alone", async () => {
  const name = await issued("valid", "--until", day(400), "--workloads", "200", "--items", "5000000");
  const shown = await licence("show", name, "--keys", "keys.json");
  expect(shown.stdout).toBe(`\
Licence of ACME Ltd, plan team, issued by agentic
  valid       ${day(0)} to ${day(400)}, then 14 days of grace
  namespaces  unlimited with runs under way
  workloads   200 at once
  items       5000000 a month
`);
  expect(await licence("verify", name, "--keys", "keys.json")).toMatchObject({ code: 0, stdout: "valid: valid\n" });
  for (const verb of ["show", "verify"])
    expect(await licence(verb, name)).toMatchObject({
      code: 2,
      stderr: `agentic: valid is no licence that counts: no key that this installation trusts signed it (its kid is unknown)\n`,
    });
});

test.each<[string, string[], number, RegExp]>([
  ["ends soon", ["--until", day(20)], 0, /expires on .*: new runs start until/],
  ["is in its grace", ["--from", day(-60), "--until", day(-3)], 0, /expired on .*: new runs start until/],
  [
    "has expired",
    ["--from", day(-60), "--until", day(-30)],
    1,
    /no new run starts\. Put a renewed one into the Secret/,
  ],
  ["has not begun", ["--from", day(2), "--until", day(400)], 1, /it begins on .*The community limits hold/],
])("one that %s says so", async (_what, args, code, said) => {
  const name = await issued("one", ...args);
  const verified = await licence("verify", name, "--keys", "keys.json");
  expect([verified.code, verified.stdout + verified.stderr]).toEqual([code, expect.stringMatching(said)]);
  const document = JSON.parse((await licence("show", name, "--keys", "keys.json", "--output", "json")).stdout);
  expect(document).toMatchObject({ licence: { sub: "ACME Ltd" }, notice: { message: expect.stringMatching(said) } });
});

test.each<[string, string[], RegExp]>([
  ["without an end", ACME, /exp: /],
  ["with an end that is no day", [...ACME, "--until", "20270101"], /exp: /],
  ["with a limit that is no number", [...ACME, "--until", day(9), "--items", "many"], /limits\.itemsAMonth: /],
  ["without a customer", ["--key", "own.jwk", "--plan", "p", "--until", day(9)], /sub: /],
  ["by a public key", ["--key", "keys.json", ...ACME.slice(2), "--until", day(9)], /no private Ed25519 JWK/],
  ["without a key", ACME.slice(2), /--key is missing/],
])("none is issued %s", async (_what, args, why) => {
  const { code, stdout, stderr } = await issue(...args);
  expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(why)]);
});
