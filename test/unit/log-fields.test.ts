import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../func/command.ts";

// Log lines have one schema, which docs/observability.md lists.

const documented = new Set(
  [...(/## Logs\n([\s\S]*?)\n## /.exec(read("docs/observability.md"))?.[1] ?? "").matchAll(/^\| (`.*?) \|/gm)].flatMap(
    ([, names = ""]) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  ),
);

const calls = ["functions", "lib", "egress", "."].flatMap((folder) =>
  globSync(folder === "." ? "*.ts" : `${folder}/**/*.ts`, { cwd: ROOT }).flatMap((file) =>
    [
      ...withoutTexts(read(file)).matchAll(/\blog(?:\.(?:debug|info|warn|error|child)|\[[^;{]*?\])\(\s*\{([^}]*)\}/gi),
    ].flatMap(([, fields = ""]) =>
      fields
        .split(",")
        .map((field) => /^\s*(\w+)\s*(?::|$)/.exec(field)?.[1])
        .flatMap((field) => (field ? [{ file, field }] : [])),
    ),
  ),
);

test("all fields of log lines are documented", () => {
  expect(calls.length).toBeGreaterThan(40);
  expect(calls.filter(({ field }) => !documented.has(field))).toEqual([]);
});

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** Values may be texts with braces and commas. */
function withoutTexts(source: string): string {
  return source.replaceAll(/`[^`]*`|"[^"\n]*"/g, "text");
}
