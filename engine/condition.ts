import {
  type ASTNode,
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  ParseError,
} from "@marcbachmann/cel-js";
import { LRUCache } from "lru-cache";

/** `when` of a step: CEL over `inputs`, `steps` and, in a fan-out, `item`. */
export interface Condition {
  /** Steps that it reads. */
  readonly steps: readonly string[];
  /** Inputs that it reads. */
  readonly inputs: readonly string[];
  /** @throws ConditionError if it cannot be evaluated over these values */
  holds(values: ConditionValues): boolean;
}

export interface ConditionValues {
  readonly inputs: Readonly<Record<string, unknown>>;
  /** By name: outcome, data, output, total, succeeded, failed, skipped. */
  readonly steps: Readonly<Record<string, unknown>>;
  readonly item: unknown;
}

export class ConditionError extends Error {
  override readonly name = "ConditionError";
}

const environment = new Environment({ unlistedVariablesAreDyn: false })
  .registerVariable("inputs", "map<string, dyn>")
  .registerVariable("steps", "map<string, dyn>")
  .registerVariable("item", "dyn");

/** By expression. A run's pipeline has at most 64 of them, but a long-lived process sees many pipelines. */
const parsed = new LRUCache<string, Condition>({ max: 1000 });

/** @throws ConditionError if it is not valid CEL, or its type is not bool */
export function parseCondition(when: string): Condition {
  const known = parsed.get(when);
  if (known) return known;
  const condition = parse(when);
  parsed.set(when, condition);
  return condition;
}

function parse(when: string): Condition {
  return celErrors(() => {
    const program = environment.parse(when);
    const checked = program.check();
    if (!checked.valid) throw new ConditionError(firstLine(checked.error));
    if (checked.type !== "bool" && checked.type !== "dyn")
      throw new ConditionError(`evaluates to ${checked.type}, expected bool`);
    return {
      steps: [...new Set(namesIn(program.ast, "steps"))],
      inputs: [...new Set(namesIn(program.ast, "inputs"))],
      holds: (values) =>
        celErrors(() => {
          const answer: unknown = program({ ...values });
          if (typeof answer !== "boolean") throw new ConditionError(`evaluates to ${typeof answer}, expected bool`);
          return answer;
        }),
    };
  });
}

function celErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError)
      throw new ConditionError(firstLine(error));
    throw error;
  }
}

function firstLine(error: Error | undefined): string {
  return error?.message.split("\n")[0] ?? "is not valid CEL";
}

/**
 * NAME of each `steps.NAME` and `steps["NAME"]`; likewise for `inputs`.
 * @throws ConditionError for `steps` without a name: which steps it reads must be known before the run starts
 */
function namesIn(node: unknown, variable: "steps" | "inputs"): string[] {
  if (Array.isArray(node)) return node.flatMap((one) => namesIn(one, variable));
  if (!isNode(node)) return [];
  const { op, args } = node;
  if (op === "id" && args === variable && variable === "steps")
    throw new ConditionError('uses steps without a name: write steps.NAME, or steps["NAME"] for a name with dashes');
  const [of, name] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  if ((op === "." || op === "[]") && isNode(of) && of.op === "id" && of.args === variable) {
    const literal = isNode(name) && name.op === "value" ? name.args : name;
    if (typeof literal === "string") return [literal];
  }
  return namesIn(args, variable);
}

function isNode(value: unknown): value is Pick<ASTNode, "op" | "args"> {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}
