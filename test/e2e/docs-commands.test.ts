import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

/** What the documents tell somebody to type exists: programs, subcommands, options, targets, scripts, files. */

const ROOT = join(import.meta.dirname, "../..");
const PAGES = [
  "*.md",
  "docs/*.md",
  "docs/runbooks/*.md",
  "agent/*.md",
  "scripts/*.md",
  "examples/*/README.md",
  "bench/*.md",
];
const pages = PAGES.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).filter((page) => page !== "CHANGELOG.md");

interface Line {
  readonly page: string;
  readonly text: string;
}

/** Command lines of the shell blocks of all pages, without comments, continued lines as one. */
const lines = pages.flatMap((page): Line[] =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].flatMap(([, block = ""]) =>
    block
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((text) => ({ page, text: text.replace(/(^|\s)#.*$/, "").trim() }))
      .filter(({ text }) => text !== ""),
  ),
);

const helps = new Map<string, string | undefined>();

/** Undefined: there is no such command. */
function helpOf(program: "agentic" | "kubectl agentic", command: string): string | undefined {
  const key = `${program} ${command}`;
  if (!helps.has(key)) {
    const [group = "", sub] = command.split(" ");
    const args = sub === undefined ? ["help", group] : [group, "help", sub];
    const file = join(ROOT, `cli/${program.replace(" ", "-")}.ts`);
    const { stdout } = spawnSync("node", [file, ...args], { encoding: "utf8" });
    // Of a name that is no command commander prints the program's own help, or fails.
    helps.set(key, stdout.startsWith(`Usage: ${key} `) ? stdout : undefined);
  }
  return helps.get(key);
}

const CALL = /(?<!helm \w+ )(?<=^|[\s|&;(])(kubectl agentic|agentic) ((?:licence (?=show|verify))?[a-z]+)\b([^|&;)]*)/g;

function problemsOf({ text }: Line): string[] {
  return [...text.matchAll(CALL)].flatMap(([, name, command = "", rest = ""]) => {
    const help = helpOf(name === "agentic" ? name : "kubectl agentic", command);
    if (help === undefined) return [`${name} has no command ${command}`];
    const options = [...rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)].map(([option]) => option);
    const unknown = options.filter((option) => !new RegExp(`[\\s,]${option}\\b`).test(help));
    return unknown.map((option) => `${name} ${command} has no ${option}`);
  });
}

test("commands of agentic and kubectl agentic, with their options", () => {
  const problems = lines.flatMap((line) =>
    problemsOf(line).map((problem) => `${line.page}: ${problem} (${line.text})`),
  );
  expect(helps.size).toBeGreaterThan(20);
  expect(problems).toEqual([]);
}, 240_000);

test("targets, scripts and files", () => {
  const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
  let seen = 0;
  const problems = lines.flatMap(({ page, text }) => {
    const own = page.startsWith("examples/") ? dirname(page) : ".";
    const { scripts = {} } = JSON.parse(
      readFileSync(join(ROOT, existsSync(join(ROOT, own, "package.json")) ? own : ".", "package.json"), "utf8"),
    ) as { scripts?: Record<string, string> };
    const targets = [...(/(?:^|[&;] ?|\s)make((?: [a-z-]+)+)/.exec(text)?.[1]?.matchAll(/[a-z][a-z-]*/g) ?? [])].map(
      ([name]) => name,
    );
    const named = [...text.matchAll(/\bnpm run (?:--silent )?([a-z:-]+)/g)].map(([, name = ""]) => name);
    const files = [...text.matchAll(/\bnode ((?:test|scripts|examples|cli|bench)\/\S+\.ts)\b/g)].map(
      ([, name = ""]) => name,
    );
    seen += targets.length + named.length + files.length;
    return [
      ...targets.filter((name) => !new RegExp(`^${name}:`, "m").test(makefile)).map((name) => `make ${name}`),
      ...named.filter((name) => !(name in scripts)).map((name) => `npm run ${name}`),
      ...files.filter((name) => !existsSync(join(ROOT, name))),
    ].map((problem) => `${page}: there is no ${problem} (${text})`);
  });
  expect(seen).toBeGreaterThan(20);
  expect(problems).toEqual([]);
});
