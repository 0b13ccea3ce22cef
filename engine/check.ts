import type { AgentSpec } from "../crd/agent.ts";
import type { PipelineSpec } from "../crd/agentpipeline.ts";
import { type Path, pathText } from "../crd/path-text.ts";
import { ConditionError, parseCondition } from "./condition.ts";
import { schemaProblem, validateBySchema } from "./json-schema.ts";
import { listRef, outputStep, type PipelineStep } from "./pipeline.ts";
import { itemSchema, MAX_ITEMS } from "./result.ts";
import { MODEL } from "./run.ts";
import { ancestorsOf } from "./stages.ts";

/** Something wrong with a spec, and where: keys and indexes below `spec`. */
export interface SpecProblem {
  readonly path: Path;
  readonly message: string;
}

/** As in `spec.steps[3].agent is …`, a text a problem. */
export function problemTexts(problems: readonly SpecProblem[]): string[] {
  return problems.map(({ path, message }) => `${pathText(["spec", ...path])} ${message}`);
}

/** What the CRD's schema cannot check of a pipeline: all problems at once. */
export async function pipelineProblems(spec: PipelineSpec): Promise<SpecProblem[]> {
  const names = new Set(spec.steps.map(({ name }) => name));
  return [
    ...sameNameProblems(spec.steps),
    ...spec.steps.flatMap((step, index) => stepProblems(step, index, spec, names)),
    ...cycleProblems(spec.steps),
    ...outputProblems(spec, names),
    ...(await inputSchemaProblems(spec)),
  ];
}

/** What the CRD's schema cannot check of an agent. */
export async function agentProblems({ output }: Pick<AgentSpec, "output">): Promise<SpecProblem[]> {
  const problem = output && (await schemaProblem(output.schema));
  return problem === undefined
    ? []
    : [{ path: ["output", "schema"], message: `is not a usable JSON Schema: ${problem}` }];
}

/** What is wrong with a workload's inputs for a pipeline. */
export async function inputProblems(
  spec: PipelineSpec,
  inputs: Readonly<Record<string, unknown>>,
): Promise<SpecProblem[]> {
  const problems: SpecProblem[] = (await validateBySchema(spec.inputs.schema, inputs)).map(({ path, message }) => ({
    path: ["inputs", ...path],
    message,
  }));
  const lists = inputLists(spec, inputs);
  for (const [name, list] of lists)
    for (const [index, item] of list.entries()) {
      const issue = itemSchema.safeParse(item).error?.issues[0];
      if (!issue) continue;
      const message = issue.code === "custom" ? issue.message : "expected a string or an object";
      problems.push({ path: ["inputs", name, index], message });
    }
  const total = [...lists.values()].reduce((sum, { length }) => sum + length, 0);
  const names = [...lists.keys()];
  const [first] = names;
  if (total > MAX_ITEMS && first !== undefined) {
    const all =
      names.length === 1 ? `has ${total} items` : `and ${names.slice(1).join(", ")} have ${total} items together`;
    problems.push({ path: ["inputs", first], message: `${all}, expected at most ${MAX_ITEMS}` });
  }
  return problems;
}

/** The input lists that steps run over, by input. */
function inputLists(spec: PipelineSpec, inputs: Readonly<Record<string, unknown>>): Map<string, readonly unknown[]> {
  const lists = new Map<string, readonly unknown[]>();
  for (const { forEach } of spec.steps) {
    const ref = forEach === undefined ? undefined : listRef(forEach);
    const list = ref && "input" in ref ? inputs[ref.input] : undefined;
    if (ref && "input" in ref && Array.isArray(list)) lists.set(ref.input, list);
  }
  return lists;
}

function sameNameProblems(steps: readonly PipelineStep[]): SpecProblem[] {
  const first = new Map<string, number>();
  const problems: SpecProblem[] = [];
  for (const [index, { name }] of steps.entries()) {
    const same = first.get(name);
    if (same === undefined) first.set(name, index);
    else problems.push({ path: ["steps", index, "name"], message: `is already the name of steps[${same}]` });
  }
  return problems;
}

function stepProblems(
  step: PipelineStep,
  index: number,
  spec: PipelineSpec,
  names: ReadonlySet<string>,
): SpecProblem[] {
  const ancestors = ancestorsOf(step.name, spec.steps);
  const inputs = inputSchemas(spec);
  const problems: SpecProblem[] = [];
  const at = (...path: (string | number)[]): (string | number)[] => ["steps", index, ...path];
  const say = (path: (string | number)[], message: string): void => void problems.push({ path, message });
  const unknownStep = (name: string): string => `${name} is not a step of this pipeline; its steps are ${list(names)}`;
  const notBefore = (name: string): string => `${name} does not end before this step: add it to after`;

  if ((step.agent === undefined) === (step.gate === undefined))
    say(at(step.gate ? "gate" : "name"), "needs exactly one of agent and gate");
  for (const [position, name] of step.after.entries()) {
    if (name === step.name) say(at("after", position), "is the step itself");
    else if (!names.has(name)) say(at("after", position), unknownStep(name));
    else if (step.after.indexOf(name) < position) say(at("after", position), `${name} is listed twice`);
  }
  if (step.forEach !== undefined) {
    const ref = listRef(step.forEach);
    if (step.gate) say(at("forEach"), "cannot be combined with gate: a gate is decided once");
    if ("input" in ref) {
      if (!inputs.has(ref.input)) say(at("forEach"), `inputs.${ref.input} is not in inputs.schema.properties`);
      else if (!isList(inputs.get(ref.input)))
        say(at("forEach"), `inputs.${ref.input} is not a list: its type in inputs.schema is not array`);
    } else if (!names.has(ref.step)) say(at("forEach"), unknownStep(ref.step));
    else if (!ancestors.has(ref.step)) say(at("forEach"), notBefore(ref.step));
    else if (spec.steps.find(({ name }) => name === ref.step)?.gate)
      say(at("forEach"), `${ref.step} is a gate, which returns no items`);
  }
  if (step.forEach === undefined && step.tolerate)
    say(at("tolerate"), "has no effect without forEach: there is one item");
  if (step.optional && step.tolerate) say(at("tolerate"), "has no effect: the step is optional");
  for (const [position, name] of step.after.entries()) {
    const before = spec.steps.find((one) => one.name === name);
    if (before?.optional && !step.optional && step.forEach !== undefined && before.forEach === step.forEach)
      say(
        at("after", position),
        `${name} is optional, and gets no further with an item that fails: make this step optional, too`,
      );
  }
  if (step.forEach === undefined && step.egress?.item)
    say(at("egress", "item"), "has no effect without forEach: there is no item");
  if (step.hostAccess && !step.gate && !step.egress?.item)
    say(at("hostAccess"), "has no effect without egress.item: the step does not reach the host of its item");
  for (const [position, name] of step.with.entries())
    if (name !== MODEL && !inputs.has(name))
      say(at("with", position), `${name} is neither in inputs.schema.properties nor ${MODEL}`);
  for (const [position, name] of (step.gate?.show ?? []).entries()) {
    const shown = spec.steps.find((one) => one.name === name);
    if (!shown) say(at("gate", "show", position), unknownStep(name));
    else if (!ancestors.has(name)) say(at("gate", "show", position), notBefore(name));
    else if (shown.gate) say(at("gate", "show", position), `${name} is a gate, which has no summary`);
  }
  if (step.gate)
    for (const field of ["egress", "retry", "timeout", "optional", "maxItems", "previous", "hostAccess"] as const)
      if (step[field] !== undefined)
        say(
          at(field),
          field === "timeout" ? "is for agents: use gate.timeout" : "cannot be combined with gate: no agent runs",
        );
  if (step.gate && step.with.length > 0) say(at("with"), "cannot be combined with gate: a gate has no input");
  if (step.when !== undefined)
    for (const message of conditionProblems(step.when, names, ancestors, inputs)) say(at("when"), message);
  return problems;
}

function conditionProblems(
  when: string,
  names: ReadonlySet<string>,
  ancestors: ReadonlySet<string>,
  inputs: ReadonlyMap<string, unknown>,
): string[] {
  try {
    const condition = parseCondition(when);
    return [
      ...condition.steps
        .filter((name) => !ancestors.has(name))
        .map((name) =>
          names.has(name)
            ? `reads steps.${name}, which does not end before this step: add it to after`
            : `reads steps.${name}, which is not a step of this pipeline; its steps are ${list(names)}`,
        ),
      ...condition.inputs
        .filter((name) => !inputs.has(name))
        .map((name) => `reads inputs.${name}, which is not in inputs.schema.properties`),
    ];
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    // CEL reads the dash as a minus, and complains about what stands behind it.
    const dashed = [...names].find((name) => name.includes("-") && when.includes(`steps.${name}`));
    const hint = dashed === undefined ? "" : `; write steps["${dashed}"], since the name has a dash`;
    return [`is not a valid condition: ${error.message}${hint}`];
  }
}

/** At the first step of each cycle, naming its steps in the pipeline's order. */
function cycleProblems(steps: readonly PipelineStep[]): SpecProblem[] {
  // A step that comes after itself is told where it says so.
  const others = steps.map((step) => ({ ...step, after: step.after.filter((name) => name !== step.name) }));
  const reported = new Set<string>();
  const problems: SpecProblem[] = [];
  for (const [index, { name }] of others.entries()) {
    const before = ancestorsOf(name, others);
    if (!before.has(name) || reported.has(name)) continue;
    const cycle = others.map((one) => one.name).filter((one) => before.has(one) && ancestorsOf(one, others).has(name));
    for (const one of cycle) reported.add(one);
    problems.push({
      path: ["steps", index, "after"],
      message: `is part of a cycle, so none of these can start: ${cycle.join(", ")}`,
    });
  }
  return problems;
}

function outputProblems(spec: PipelineSpec, names: ReadonlySet<string>): SpecProblem[] {
  const name = outputStep(spec);
  const message = !names.has(name)
    ? `${name} is not a step of this pipeline; its steps are ${list(names)}`
    : spec.steps.find((step) => step.name === name)?.gate
      ? `${name} is a gate, which has no artifacts: name another step`
      : undefined;
  return message === undefined ? [] : [{ path: ["output"], message }];
}

async function inputSchemaProblems({ inputs }: PipelineSpec): Promise<SpecProblem[]> {
  const path = ["inputs", "schema"];
  const problem = await schemaProblem(inputs.schema);
  if (problem !== undefined) return [{ path, message: `is not a usable JSON Schema: ${problem}` }];
  if (inputs.schema["type"] !== "object")
    return [{ path: [...path, "type"], message: "must be object: inputs have names" }];
  if (inputSchemas({ inputs }).has(MODEL))
    return [
      {
        path: [...path, "properties", MODEL],
        message: `is the name of the workload's own field ${MODEL}: rename the input`,
      },
    ];
  return [];
}

/** The schemas of the inputs, by name. */
function inputSchemas({ inputs }: Pick<PipelineSpec, "inputs">): Map<string, unknown> {
  const { properties } = inputs.schema;
  return new Map(Object.entries(typeof properties === "object" && properties !== null ? properties : {}));
}

function isList(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && (schema as { type?: unknown }).type === "array";
}

function list(names: Iterable<string>): string {
  return [...names].join(", ");
}
