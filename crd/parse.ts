import { distance } from "fastest-levenshtein";
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseAllDocuments } from "yaml";
import type { z } from "zod";
import { type Agent, agentSchema } from "./agent.ts";
import { type AgentPipeline, agentPipelineSchema } from "./agentpipeline.ts";
import { type AgentSchedule, agentScheduleSchema } from "./agentschedule.ts";
import { type AgentWorkload, agentWorkloadSchema } from "./agentworkload.ts";
import { type Path, pathText } from "./path-text.ts";

export interface Problem {
  /** The name that parseDocuments was given. */
  readonly file?: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** As in spec.steps[3].name; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Keys and indexes from the root of a document. */

interface Place {
  readonly file?: string;
  readonly line: number;
  readonly column: number;
}

interface Placed {
  /** Where the value at a path is written; for a missing one, the nearest value around it. */
  readonly place: (path: Path) => Place;
}

/** One valid object. */
export type ParsedObject =
  | { readonly kind: "Agent"; readonly value: Agent }
  | { readonly kind: "AgentPipeline"; readonly value: AgentPipeline }
  | { readonly kind: "AgentWorkload"; readonly value: AgentWorkload }
  | { readonly kind: "AgentSchedule"; readonly value: AgentSchedule };
/** One valid object of a file. */
export type ParsedDocument = Placed & ParsedObject;

const SCHEMAS = {
  Agent: agentSchema,
  AgentPipeline: agentPipelineSchema,
  AgentWorkload: agentWorkloadSchema,
  AgentSchedule: agentScheduleSchema,
} as const;
type Kind = keyof typeof SCHEMAS;
const KINDS = Object.keys(SCHEMAS) as Kind[];
const ANY_KIND = "expected an Agent, AgentPipeline, AgentWorkload or AgentSchedule";

/**
 * Reads the objects of a YAML or JSON text, or all of its errors with their places. `file` is for messages. `rest`: the objects that have
 * errors, without them.
 */
export function parseDocuments(
  text: string,
  { file }: { readonly file?: string } = {},
): { documents: ParsedDocument[] } | { errors: Problem[]; rest: ParsedDocument[] } {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { ...(file === undefined ? {} : { file }), line, column: col };
  };
  const read = (Array.isArray(parsed) ? parsed : [])
    .filter((document) => !isEmpty(document))
    .map((document) => readDocument(document, at));
  if (read.length === 0)
    return { errors: [{ ...at(0), path: "", message: `the file is empty: ${ANY_KIND}` }], rest: [] };
  const documents = read.flatMap((one) => ("errors" in one ? [] : [one]));
  const errors = [...read.flatMap((one) => ("errors" in one ? one.errors : [])), ...duplicateProblems(documents)];
  if (errors.length === 0) return { documents };
  const rest = read.flatMap((one) => ("errors" in one && one.rest ? [one.rest] : []));
  return { errors: errors.toSorted((a, b) => a.line - b.line || a.column - b.column), rest };
}

/** Objects of the same kind, namespace and name; the documents may come from several files. */
export function duplicateProblems(documents: readonly ParsedDocument[]): Problem[] {
  const first = new Map<string, Place>();
  const problems: Problem[] = [];
  for (const { kind, value, place } of documents) {
    const { namespace, name } = value.metadata;
    const key = `${kind} ${namespace}/${name}`;
    const here = place(["metadata", "name"]);
    const same = first.get(key);
    if (same === undefined) first.set(key, here);
    else {
      const where = `${same.file === undefined ? "line " : `${same.file}:`}${same.line}`;
      problems.push({ ...here, path: "metadata.name", message: `${key} is already defined at ${where}` });
    }
  }
  return problems;
}

/** Problems that were found after parsing, whose paths are below `spec`, with their places. */
export function specProblems(
  { place }: Pick<ParsedDocument, "place">,
  problems: readonly { readonly path: Path; readonly message: string }[],
): Problem[] {
  return problems.map(({ path, message }) => ({
    ...place(["spec", ...path]),
    path: pathText(["spec", ...path]),
    message,
  }));
}

/** `file:line:column path message`, a line each, as editors and terminals link it. `file`: for problems that name none. */
export function formatProblems(problems: readonly Problem[], file = ""): string {
  return problems
    .map((one) => `${one.file ?? file}:${one.line}:${one.column} ${one.path ? `${one.path} ` : ""}${one.message}`)
    .join("\n");
}

/** A separator with nothing behind it, or comments only. */
function isEmpty({ contents, errors }: Document): boolean {
  return errors.length === 0 && (contents === null || (isScalar(contents) && contents.value === null));
}

function readDocument(
  document: Document,
  at: (offset: number) => Place,
): ParsedDocument | { errors: Problem[]; rest?: ParsedDocument } {
  const start = document.contents?.range?.[0] ?? 0;
  if (document.errors.length > 0)
    return {
      errors: document.errors.map((error) => ({
        ...at(error.pos[0]),
        path: "",
        message: (error.message.split("\n")[0] ?? error.code).replace(/ at line \d+, column \d+:$/, ""),
      })),
    };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { errors: [{ ...at(start), path: "", message: error instanceof Error ? error.message : String(error) }] };
  }
  const place = (path: Path): Place => at(offsetOf(document, path));
  const parsed = parseObject(value);
  if (!("problems" in parsed)) return { ...parsed, place };
  return {
    errors: parsed.problems.map(({ path, message }) => ({ ...place(path), path: pathText(path), message })),
    ...(parsed.rest ? { rest: { ...parsed.rest, place } } : {}),
  };
}

/** One object, or all that is wrong with its form; `rest`: the object without that, where it is one, for what else is wrong with it. */
export function parseObject(
  value: unknown,
): ParsedObject | { problems: { path: Path; message: string }[]; rest?: ParsedObject } {
  const kind = kindOf(value);
  if ("message" in kind) return { problems: [kind] };
  const parsed = SCHEMAS[kind.kind].safeParse(value);
  // The schema was chosen by the kind, which TypeScript cannot follow.
  if (parsed.success) return { kind: kind.kind, value: parsed.data } as ParsedObject;
  const { issues } = parsed.error;
  const rest = restOf(value, kind.kind, issues);
  return { problems: issues.flatMap((issue) => explain(issue, value, kind.kind)), ...(rest ? { rest } : {}) };
}

/** Fields of a spec that say what the others mean: without one of them, or with it misspelt, what else is wrong is not known. */
const DECISIVE = ["pipeline", "image", "inputs", "steps"];

function restOf(value: unknown, kind: Kind, issues: readonly z.core.$ZodIssue[]): ParsedObject | undefined {
  const rest = structuredClone(value);
  const wrong = issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
  });
  for (const path of wrong) {
    const field = path.at(-1);
    const isDecisive = path.at(-2) === "spec" && suggestion(String(field), DECISIVE) !== "";
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], rest);
    if (isDecisive || typeof field !== "string" || typeof parent !== "object" || parent === null) return undefined;
    delete (parent as Record<string, unknown>)[field];
  }
  const parsed = SCHEMAS[kind].safeParse(rest);
  return parsed.success ? ({ kind, value: parsed.data } as ParsedObject) : undefined;
}

function kindOf(value: unknown): { readonly kind: Kind } | { readonly path: Path; readonly message: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { path: [], message: ANY_KIND };
  const { kind } = value as { readonly kind?: unknown };
  const known = KINDS.find((one) => one === kind);
  if (known) return { kind: known };
  if (kind === undefined) return { path: ["kind"], message: `is missing: ${ANY_KIND}` };
  const found = `, found ${JSON.stringify(kind)}`;
  return { path: ["kind"], message: `${ANY_KIND}${found}${suggestion(String(kind), KINDS)}` };
}

function explain(issue: z.core.$ZodIssue, root: unknown, kind: Kind): { path: Path; message: string }[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(SCHEMAS[kind], path);
    return issue.keys.map((key) => ({ path: [...path, key], message: `is not a field${suggestion(key, known)}` }));
  }
  const found = path.reduce<unknown>((at, part) => (at as Record<string | number, unknown> | undefined)?.[part], root);
  if (found === undefined)
    return [
      { path, message: issue.code === "invalid_type" ? `is missing: expected ${issue.expected}` : issue.message },
    ];
  const shown = issue.code === "custom" ? "" : `, found ${JSON.stringify(found)?.slice(0, 80)}`;
  return [{ path, message: `${issue.message.replace(/^Invalid input: /, "")}${shown}` }];
}

/** The word that a typo most likely meant: at most a third of its letters differ. */
function suggestion(word: string, candidates: readonly string[]): string {
  const [nearest] = candidates
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .toSorted((a, b) => a.edits - b.edits);
  return nearest ? `; did you mean ${nearest.candidate}?` : "";
}

/** The fields of the schema at a path. */
function knownKeys(root: z.core.$ZodType, path: Path): string[] {
  let schema: z.core.$ZodType | undefined = root;
  for (const part of path) schema = typeof part === "number" ? elementOf(schema) : shapeOf(schema)?.[part];
  return Object.keys(shapeOf(schema) ?? {});
}

function shapeOf(schema: z.core.$ZodType | undefined): Record<string, z.core.$ZodType> | undefined {
  const inner = unwrap(schema);
  return inner && "shape" in inner ? (inner.shape as Record<string, z.core.$ZodType>) : undefined;
}

function elementOf(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  const inner = unwrap(schema);
  return inner && "element" in inner ? (inner.element as z.core.$ZodType) : undefined;
}

/** The schema inside of optional, default and prefault. */
function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let inner = schema;
  while (inner && "innerType" in inner._zod.def) inner = inner._zod.def.innerType as z.core.$ZodType;
  return inner;
}

function offsetOf(document: Document, path: Path): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const parent = depth <= 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const key = path[depth - 1];
    if (depth > 0 && isMap(parent)) {
      // A field is pointed at by its name: the value may be on the next line, or missing.
      const pair = (parent.items as Pair<Node, Node>[]).find((item) => isScalar(item.key) && item.key.value === key);
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
