/**
 * `npm run check:structure`: which folder may import which, that no imports form a cycle, that one folder alone knows Argo, and that the
 * core names nothing of an application. Prints each problem with its place.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

/** Text of files by their path below the root, with `/`. */
export type Files = ReadonlyMap<string, string>;

export interface StructureProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

interface Import {
  readonly from: string;
  readonly line: number;
  readonly to: string;
}

export function structureProblems(files: Files): StructureProblem[] {
  const imports = importsOf(files);
  return [
    ...imports.flatMap(layerProblem),
    ...cycleProblems(imports.filter(({ from }) => isCore(from)).map(toUnits), "folders"),
    ...cycleProblems(imports, "files"),
    ...imports.flatMap(argoImportProblem),
    ...linesOf(files, isCore).flatMap(argoNameProblem),
    ...linesOf(files, mustBeGeneral).flatMap(wordProblem),
  ];
}

/** A unit is a top-level folder, a function, a pipeline, or all files at the root, which compose the functions. */
const ROOT = "the root";
/** The pipelines that the CLI knows by name. */
const REGISTRY = "pipelines/shipped.ts";

function unitOf(file: string): string {
  const [top = "", second = "", ...below] = file.split("/");
  if (second === "") return ROOT;
  const isGroup = top === "functions" || top === "pipelines";
  return isGroup ? (below.length > 0 ? `${top}/${second}` : file) : top;
}

/** The functions that are agents of a pipeline, and share its schemas. */
const AGENTS_OF: Readonly<Record<string, readonly string[]>> = {
  "pipelines/market-analysis": ["functions/scrape", "functions/analyze", "functions/report"],
};

const LAYERS = ["crd", "engine", "lib"];

/** Whether files of one unit may import files of another. Folders that are not named here (test, bench and so on) may import all. */
function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (LAYERS.includes(from)) return LAYERS.indexOf(to) >= 0 && LAYERS.indexOf(to) < LAYERS.indexOf(from);
  if (from === REGISTRY) return LAYERS.includes(to) || to.startsWith("pipelines/");
  if (from === "agent" || from === "egress" || from.startsWith("pipelines/")) return LAYERS.includes(to);
  if (from.startsWith("functions/")) return LAYERS.includes(to) || (AGENTS_OF[to]?.includes(from) ?? false);
  const composed = [...LAYERS, "agent", "egress"].includes(to) || to.startsWith("functions/");
  if (from === ROOT) return composed;
  if (from === "cli") return composed || to === ROOT || to === REGISTRY;
  return true;
}

function layerProblem({ from, line, to }: Import): StructureProblem[] {
  const [importer, imported] = [unitOf(from), unitOf(to)];
  if (mayImport(importer, imported)) return [];
  return [{ file: from, line, message: `imports ${to}: ${importer} must not depend on ${imported}` }];
}

function toUnits({ from, line, to }: Import): Import & { readonly place: string } {
  return { from: unitOf(from), line, to: unitOf(to), place: from };
}

/** The imports that close a cycle, each told with the whole of it. Every cycle has at least one. */
function cycleProblems(
  imports: readonly (Import & { readonly place?: string })[],
  what: "folders" | "files",
): StructureProblem[] {
  const edges = Map.groupBy(
    imports.filter(({ from, to }) => from !== to),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const path: string[] = [];
  const problems: StructureProblem[] = [];
  const visit = (at: string): void => {
    path.push(at);
    for (const { to, line, place } of edges.get(at) ?? []) {
      const start = path.indexOf(to);
      if (start >= 0) {
        const cycle = [...path.slice(start), to].join(" -> ");
        problems.push({ file: place ?? at, line, message: `closes a cycle of ${what}: ${cycle}` });
      } else if (!done.has(to)) visit(to);
    }
    path.pop();
    done.add(at);
  };
  for (const from of edges.keys()) if (!done.has(from)) visit(from);
  return [...new Map(problems.map((one) => [one.message, one])).values()];
}

const ARGO = "functions/reconcile/argo/";
/** Where programs wire the implementation to its interface. */
const COMPOSES_ARGO = ["compose-reconcile.ts", "cli/kubectl-agentic.ts", "cli/kubectl_complete-agentic.ts"];
/** The one client of the API server: group, version and plural of each kind it can ask for. */
const KIND_TABLE = "lib/edges/kube.ts";

function isCore(file: string): boolean {
  return /^(crd|engine|lib|functions|cli|agent|egress|pipelines)\//.test(file) || !file.includes("/");
}

function argoImportProblem({ from, line, to }: Import): StructureProblem[] {
  if (!isCore(from) || !to.startsWith(ARGO) || from.startsWith(ARGO) || COMPOSES_ARGO.includes(from)) return [];
  return [{ file: from, line, message: `imports ${to}: use functions/reconcile/run-engine.ts, which hides Argo` }];
}

function argoNameProblem({ file, line, text }: Line): StructureProblem[] {
  if (!file.endsWith(".ts") || !/["'`]argoproj\.io/.test(text) || file.startsWith(ARGO) || file === KIND_TABLE)
    return [];
  return [{ file, line, message: `names argoproj.io: only ${ARGO} knows Argo's types` }];
}

/** Words of market analysis, the first application. The core runs any pipeline. */
const APPLICATION_WORD = /\bsites?\b|scrap|competitor|\bmarket/i;

function mustBeGeneral(file: string): boolean {
  if (file.startsWith("crd/fixtures/")) return false;
  return /^(crd|engine|lib|functions\/reconcile|functions\/approve|cli)\//.test(file);
}

function wordProblem({ file, line, text }: Line): StructureProblem[] {
  const word = APPLICATION_WORD.exec(text)?.[0];
  return word === undefined ? [] : [{ file, line, message: `says "${word}": the core knows no application` }];
}

interface Line {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

function linesOf(files: Files, wanted: (file: string) => boolean): Line[] {
  return [...files].flatMap(([file, content]) =>
    wanted(file) ? content.split("\n").map((text, index) => ({ file, line: index + 1, text })) : [],
  );
}

/** `from "…"`, `import "…"` and `import("…")` of a file of the tree; types count as well. */
const IMPORT = /\b(?:from|import)\s*\(?\s*["'](\.[^"']*)["']/g;

function importsOf(files: Files): Import[] {
  return [...files].flatMap(([from, content]) =>
    from.endsWith(".ts")
      ? [...content.matchAll(IMPORT)].flatMap((match) => {
          const to = posix.join(posix.dirname(from), match[1] ?? "");
          const line = content.slice(0, match.index).split("\n").length;
          return files.has(to) ? [{ from, line, to }] : [];
        })
      : [],
  );
}

/** What git knows or would add, as it is now. Templates and peers are projects of their own. */
function readTree(root: string): Files {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const paths = listed
    .toString()
    .split("\0")
    .filter((path) => /\.(ts|yaml|md|html|css)$/.test(path) && !/^(templates|bench\/checkpoint\/peers)\//.test(path))
    .filter((path) => existsSync(`${root}${path}`));
  return new Map(paths.map((path) => [path, readFileSync(`${root}${path}`, "utf8")]));
}

if (import.meta.main) {
  const problems = structureProblems(readTree(fileURLToPath(new URL("../", import.meta.url))));
  for (const { file, line, message } of problems) console.error(`${file}:${line} ${message}`);
  if (problems.length > 0) process.exitCode = 1;
}
