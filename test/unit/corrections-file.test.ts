import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCorrections } from "../../cli/corrections-file.ts";

const YAML = `
- step: analyze
  item: https://acme.example/          # of an object: its JSON with sorted keys
  fact: offers/pro
  of: "Pro: $29 a month"
  action: correct
  value: "Pro: $39 a month"
`;
const READ = {
  corrections: [
    {
      ...{ step: "analyze", item: "https://acme.example/", fact: "offers/pro", of: "Pro: $29 a month" },
      ...{ action: "correct", value: "Pro: $39 a month" },
    },
  ],
};

test.each<[string, string | undefined, object]>([
  ["YAML", YAML, READ],
  ["JSON", JSON.stringify(READ.corrections), READ],
  ["no list", "step: analyze", { problem: expect.stringMatching(/corrections: .*expected array/) }],
  ["an empty file", "", { problem: expect.stringMatching(/corrections: .*expected array/) }],
  ["an unknown action", YAML.replace("correct\n", "approve\n"), { problem: expect.stringContaining("0.action: ") }],
  ["no YAML", "- {", { problem: expect.stringContaining("corrections: ") }],
  ["no file", undefined, { problem: expect.stringContaining("ENOENT") }],
])("a file of corrections that is %s", async (_what, text, expected) => {
  const folder = await mkdtemp(join(tmpdir(), "agentic-corrections-"));
  const file = join(folder, "corrections");
  if (text !== undefined) await writeFile(file, text);
  expect(await readCorrections(file)).toEqual(expected);
  await rm(folder, { recursive: true });
});
