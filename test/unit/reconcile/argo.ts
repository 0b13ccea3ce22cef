import { viewWorkflow } from "../../../functions/reconcile/argo/nodes.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";

/**
 * Argo's controller in memory, as far as the Workflows that reconcile renders need it: DAG tasks with `depends` and `when`, fan-outs by
 * withSequence with parallelism, suspend nodes. test/contract/pipelines.test.ts holds the real one against it.
 */
interface Template {
  readonly name: string;
  readonly parallelism?: number;
  readonly dag?: { readonly tasks: readonly Task[] };
  readonly suspend?: { readonly duration?: string };
  readonly inputs?: { readonly parameters: readonly { readonly name: string }[] };
  readonly outputs?: {
    readonly parameters: readonly { readonly name: string; readonly valueFrom: { default?: string } }[];
  };
}
interface Task {
  readonly name: string;
  readonly template: string;
  readonly depends?: string;
  readonly when?: string;
  readonly withSequence?: { readonly count: string };
  readonly arguments?: { readonly parameters: readonly { readonly name: string; readonly value: string }[] };
}
export interface ArgoNode {
  id: string;
  name: string;
  type: "Suspend" | "DAG" | "TaskGroup" | "Skipped";
  templateName: string;
  boundaryID?: string;
  children?: string[];
  phase: string;
  startedAt: string;
  finishedAt?: string;
  message?: string;
  inputs?: { parameters: { name: string; value: string }[] };
  outputs?: { parameters: { name: string; value?: string }[] };
}
type Nodes = Record<string, ArgoNode>;

const ENDED = new Set(["Succeeded", "Failed", "Error", "Skipped", "Omitted"]);

/** One look of the controller. @returns the Workflow as it leaves it */
export function argoLooks(workflow: KubeObject, now: Date): KubeObject {
  const before = (workflow.status ?? {}) as { phase?: string; nodes?: Nodes };
  const spec = workflow.spec as { entrypoint: string; templates: Template[]; suspend?: boolean; shutdown?: string };
  if (ENDED.has(before.phase ?? "")) return workflow;
  const nodes: Nodes = structuredClone(before.nodes ?? {});
  const at = `${now.toISOString().slice(0, 19)}Z`;
  const look = new Look(spec.templates, nodes, at, Boolean(spec.suspend) || Boolean(spec.shutdown));
  if (spec.shutdown)
    for (const node of Object.values(nodes))
      if (!ENDED.has(node.phase)) Object.assign(node, { phase: "Failed", finishedAt: at, message: "stopped" });
  const phase = spec.shutdown ? "Failed" : look.template(spec.entrypoint, workflow.metadata.name, {}, undefined);
  const ended = ENDED.has(phase);
  return { ...workflow, status: { phase, nodes, ...(ended ? { finishedAt: at } : {}) } };
}

class Look {
  readonly #templates: ReadonlyMap<string, Template>;
  readonly #nodes: Nodes;
  readonly #at: string;
  readonly #held: boolean;

  constructor(templates: readonly Template[], nodes: Nodes, at: string, held: boolean) {
    this.#templates = new Map(templates.map((template) => [template.name, template]));
    this.#nodes = nodes;
    this.#at = at;
    this.#held = held;
  }

  /** Starts a template's node, or goes on with it. @returns its phase */
  template(name: string, id: string, inputs: Readonly<Record<string, string>>, boundary: string | undefined): string {
    const template = this.#templates.get(name);
    if (!template) throw new Error(`the Workflow has no template ${name}`);
    const node = this.#start(id, template, inputs, boundary);
    if (ENDED.has(node.phase)) return node.phase;
    if (template.suspend) return this.#suspended(node, template);
    node.phase = this.#dag(template, id, inputs);
    if (ENDED.has(node.phase)) node.finishedAt = this.#at;
    return node.phase;
  }

  #start(
    id: string,
    template: Template,
    inputs: Readonly<Record<string, string>>,
    boundary: string | undefined,
  ): ArgoNode {
    const known = this.#nodes[id];
    if (known) return known;
    for (const { name } of template.inputs?.parameters ?? [])
      if (inputs[name] === undefined) throw new Error(`template ${template.name} lacks its input ${name}`);
    const parameters = Object.entries(inputs).map(([name, value]) => ({ name, value }));
    const node: ArgoNode = {
      id,
      name: id,
      type: template.suspend ? "Suspend" : "DAG",
      templateName: template.name,
      phase: "Running",
      startedAt: this.#at,
      ...(boundary === undefined ? {} : { boundaryID: boundary }),
      ...(parameters.length > 0 ? { inputs: { parameters } } : {}),
    };
    this.#nodes[id] = node;
    return node;
  }

  #suspended(node: ArgoNode, { suspend, outputs }: Template): string {
    const seconds = Number(suspend?.duration ?? Number.POSITIVE_INFINITY);
    if (Date.parse(this.#at) - Date.parse(node.startedAt) < seconds * 1000) return node.phase;
    const [output] = outputs?.parameters ?? [];
    const value = output?.valueFrom.default;
    // Without a default Argo has nothing to give.
    if (value === undefined) Object.assign(node, { phase: "Error", finishedAt: this.#at });
    else
      Object.assign(node, {
        phase: "Succeeded",
        finishedAt: this.#at,
        outputs: { parameters: [{ name: output?.name ?? "", value }] },
      });
    return node.phase;
  }

  #dag({ dag, parallelism }: Template, id: string, inputs: Readonly<Record<string, string>>): string {
    const phases = new Map<string, string>();
    for (const task of dag?.tasks ?? []) phases.set(task.name, this.#task(task, id, inputs, phases, parallelism));
    const all = [...phases.values()];
    if (all.some((phase) => !ENDED.has(phase))) return "Running";
    // A DAG is judged by its last tasks: what another one handles by `depends` is not one of them.
    const handled = new Set((dag?.tasks ?? []).flatMap(({ depends }) => namesIn(depends)));
    const targets = [...phases].filter(([name]) => !handled.has(name)).map(([, phase]) => phase);
    return targets.some((phase) => phase === "Failed" || phase === "Error") ? "Failed" : "Succeeded";
  }

  #task(
    task: Task,
    boundary: string,
    inputs: Readonly<Record<string, string>>,
    phases: ReadonlyMap<string, string>,
    parallelism: number | undefined,
  ): string {
    const id = `${boundary}.${task.name}`;
    const known = this.#nodes[id];
    if (known && ENDED.has(known.phase)) return known.phase;
    if (!known) {
      const before = namesIn(task.depends).map((name) => phases.get(name) ?? "Pending");
      if (before.some((phase) => !ENDED.has(phase))) return "Pending";
      if (!dependsHolds(task.depends, phases)) return this.#closed(id, "Omitted", boundary);
    }
    const values = (text: string): string => this.#resolve(text, boundary, inputs);
    if (!known && task.when !== undefined && !whenHolds(values(task.when)))
      return this.#closed(id, "Skipped", boundary);
    if (!known && this.#held) return "Pending";
    const args = Object.fromEntries((task.arguments?.parameters ?? []).map(({ name, value }) => [name, value]));
    for (const name of namesIn(task.depends)) this.#link(`${boundary}.${name}`, id);
    if (!task.withSequence) return this.template(task.template, id, mapValues(args, values), boundary);
    return this.#sequence(task, id, boundary, Number(values(task.withSequence.count)), args, parallelism ?? Infinity);
  }

  #sequence(
    task: Task,
    id: string,
    boundary: string,
    count: number,
    args: Readonly<Record<string, string>>,
    parallelism: number,
  ): string {
    let [active, open, failed] = [0, false, false];
    for (let index = 0; index < count; index++) {
      const itemId = `${id}(${index}:${index})`;
      const node = this.#nodes[itemId];
      if (!node && (active >= parallelism || this.#held)) {
        open = true;
        continue;
      }
      const phase = this.template(
        task.template,
        itemId,
        mapValues(args, (value) => value.replace("{{item}}", String(index))),
        boundary,
      );
      if (!ENDED.has(phase)) active++;
      open ||= !ENDED.has(phase);
      failed ||= phase === "Failed" || phase === "Error";
    }
    if (open) return "Running";
    return failed ? "Failed" : "Succeeded";
  }

  #closed(id: string, phase: string, boundary: string): string {
    this.#nodes[id] = {
      id,
      name: id,
      type: "Skipped",
      templateName: "",
      phase,
      startedAt: this.#at,
      finishedAt: this.#at,
      boundaryID: boundary,
    };
    return phase;
  }

  #link(from: string, to: string): void {
    const node = this.#nodes[from];
    if (node && !node.children?.includes(to)) node.children = [...(node.children ?? []), to];
  }

  #resolve(text: string, boundary: string, inputs: Readonly<Record<string, string>>): string {
    return text.replaceAll(/\{\{(.+?)\}\}/g, (whole, path: string) => {
      const input = /^inputs\.parameters\.(.+)$/.exec(path)?.[1];
      if (input !== undefined) return inputs[input] ?? whole;
      const [, task, parameter] = /^tasks\.(.+)\.outputs\.parameters\.(.+)$/.exec(path) ?? [];
      const outputs = this.#nodes[`${boundary}.${task}`]?.outputs?.parameters ?? [];
      return outputs.find(({ name }) => name === parameter)?.value ?? whole;
    });
  }
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

const TERM = /([a-z][-a-z0-9]*)\.(Succeeded|Failed|Errored|Skipped|Omitted)/g;

function namesIn(depends: string | undefined): string[] {
  return [...new Set([...(depends ?? "").matchAll(TERM)].map(([, name = ""]) => name))];
}

function dependsHolds(depends: string | undefined, phases: ReadonlyMap<string, string>): boolean {
  if (!depends) return true;
  const text = depends.replaceAll(TERM, (_, name: string, end: string) =>
    String(phases.get(name) === (end === "Errored" ? "Error" : end)),
  );
  return evaluate(text);
}

/** Terms joined by && and ||, in parentheses of one level, as reconcile renders them. */
function evaluate(text: string): boolean {
  return text.split(" && ").every((part) =>
    part
      .replaceAll(/[()]/g, "")
      .split(" || ")
      .some((term) => term === "true"),
  );
}

function whenHolds(when: string): boolean {
  return when.split(" && ").every((term) => {
    const [left, right] = term.split(" != ");
    return left !== right;
  });
}

/** The steps whose nodes were ever started, as `step` or `step/index`. */
export function startedSteps(workflow: KubeObject): string[] {
  return viewWorkflow(workflow)
    .nodes.filter(({ role }) => role === "step" || role === "gate")
    .map(({ step, index }) => (index === undefined ? step : `${step}/${index}`))
    .toSorted();
}
