import { type Document, isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseAllDocuments } from "yaml";
import type { z } from "zod";
import { admissionProblems } from "./admission.ts";
import { type AgentWorkload, agentWorkloadSchema } from "./agentworkload.ts";
import { closest } from "./closest.ts";

export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** As in spec.sites[3]; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ParseOptions {
  /** Host names that --resolve points somewhere: they may be private. */
  readonly allowPrivateHosts?: ReadonlySet<string>;
}

/** Reads one AgentWorkload from YAML or JSON: all of its errors at once, each with its place. */
export function parseWorkload(
  text: string,
  options: ParseOptions = {},
): { workload: AgentWorkload } | { errors: Problem[] } {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  const [document, second] = Array.isArray(documents) ? documents : [];
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const whole = (message: string, offset = 0): { errors: Problem[] } => ({
    errors: [{ ...at(offset), path: "", message }],
  });
  if (!document || document.contents === null) return whole("the file is empty: expected an AgentWorkload");
  if (document.errors.length > 0)
    return {
      errors: document.errors.map((e) => ({
        ...at(e.pos[0]),
        path: "",
        message: (e.message.split("\n")[0] ?? e.code).replace(/ at line \d+, column \d+:$/, ""),
      })),
    };
  if (second) return whole("more than one document: expected one AgentWorkload a file", second.range[0]);

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return whole(error instanceof Error ? error.message : String(error));
  }
  const parsed = agentWorkloadSchema.safeParse(value);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, value))),
    ...admissionProblems(sitesOf(value), options.allowPrivateHosts ?? new Set()),
  ];
  if (parsed.success && problems.length === 0) return { workload: parsed.data };
  const errors = problems.map(({ path, message }) => ({
    ...at(offsetOf(document, path)),
    path: pathText(path),
    message,
  }));
  return { errors: errors.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

/** `file:line:column path message`, a line each, as editors and terminals link it. */
export function formatProblems(problems: readonly Problem[], file: string): string {
  return problems
    .map(({ line, column, path, message }) => `${file}:${line}:${column} ${path ? `${path} ` : ""}${message}`)
    .join("\n");
}

function sitesOf(value: unknown): unknown[] {
  const sites = (value as { spec?: { sites?: unknown } } | null)?.spec?.sites;
  return Array.isArray(sites) ? sites : [];
}

type Path = readonly (string | number)[];

function explain(issue: z.core.$ZodIssue, root: unknown): { path: Path; message: string }[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(path);
    return issue.keys.map((key) => {
      const near = closest(key, known);
      return { path: [...path, key], message: `is not a field${near ? `; did you mean ${near}?` : ""}` };
    });
  }
  const found = path.reduce<unknown>((at, part) => (at as Record<string | number, unknown> | undefined)?.[part], root);
  if (found === undefined)
    return [
      { path, message: issue.code === "invalid_type" ? `is missing: expected ${issue.expected}` : issue.message },
    ];
  const shown = issue.code === "custom" ? "" : `, found ${JSON.stringify(found)?.slice(0, 80)}`;
  return [{ path, message: `${issue.message.replace(/^Invalid input: /, "")}${shown}` }];
}

/** The fields of the schema at a path, for suggestions. */
function knownKeys(path: Path): string[] {
  let schema: z.core.$ZodType | undefined = agentWorkloadSchema;
  for (const part of path) schema = typeof part === "number" ? undefined : shapeOf(schema)?.[part];
  return Object.keys(shapeOf(schema) ?? {});
}

function shapeOf(schema: z.core.$ZodType | undefined): Record<string, z.core.$ZodType> | undefined {
  let inner: unknown = schema;
  // Optional, default and prefault wrap what they are about.
  while (
    inner &&
    typeof inner === "object" &&
    "def" in inner &&
    typeof inner.def === "object" &&
    inner.def &&
    "innerType" in inner.def
  )
    inner = inner.def.innerType;
  return inner && typeof inner === "object" && "shape" in inner
    ? (inner.shape as Record<string, z.core.$ZodType>)
    : undefined;
}

/** Where the value at a path stands; for a missing one, the nearest thing around it. */
function offsetOf(document: Document, path: Path): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const parent = depth === 0 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const key = path[depth - 1];
    if (depth > 0 && isMap(parent)) {
      // A field is pointed at by its name: the value may stand on the next line, or be missing.
      const pair = (parent.items as Pair<Node, Node>[]).find((item) => isScalar(item.key) && item.key.value === key);
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${part}` : part),
    "",
  );
}
