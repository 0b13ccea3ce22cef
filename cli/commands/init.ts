import { writeFile } from "node:fs/promises";
import { Document, type Pair, type Scalar, YAMLMap } from "yaml";
import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import { API_VERSION } from "../../crd/fields.ts";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { DEFAULT_PIPELINE } from "../../pipelines/shipped.ts";
import { EXIT } from "../exit-code.ts";
import { findPipeline } from "../find-pipeline.ts";
import { type InputField, inputFields } from "../input-schema.ts";
import { program } from "../invocation.ts";
import { placeholderOf } from "../placeholder.ts";

export interface InitOptions {
  readonly name?: string;
  readonly output?: string;
}

/** `agentic init [PIPELINE]`: writes a workload to start from. */
export async function init(nameOrFile: string | undefined, options: InitOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const found = await findPipeline(nameOrFile ?? DEFAULT_PIPELINE);
  if ("problem" in found) {
    say(`agentic: ${found.problem}`);
    return EXIT.invalid;
  }
  const name = options.name ?? `my-${found.pipeline.metadata.name}`;
  const file = options.output ?? `${name}.yaml`;
  try {
    await writeFile(file, startingWorkload(found.pipeline, name), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    say(`agentic: ${file} exists already, and is left as it is: choose another by --output`);
    return EXIT.invalid;
  }
  process.stdout.write(`${file}\n`);
  say(`Replace the values in it, then: ${program()} run ${file}`);
  return EXIT.succeeded;
}

/** A workload of the pipeline with a placeholder for each required input; the optional ones are comments. */
export function startingWorkload({ metadata, spec }: AgentPipeline, name: string): string {
  const fields = inputFields(spec.inputs.schema);
  const required = fields.filter((field) => field.required);
  const optional = fields.filter((field) => !field.required).map(optionalLines);
  const { namespace } = metadata;
  const document = new Document({
    apiVersion: API_VERSION,
    kind: "AgentWorkload",
    metadata: { name, ...(namespace === SHARED_NAMESPACE || namespace === "default" ? {} : { namespace }) },
    spec: {
      pipeline: metadata.name,
      ...(required.length > 0
        ? { inputs: Object.fromEntries(required.map((field) => [field.name, placeholderOf(field.schema)])) }
        : {}),
      replicas: 10,
    },
  });
  if (spec.description) document.commentBefore = ` ${spec.description}`;
  const written = document.getIn(["spec"], true) as YAMLMap<Scalar<string>>;
  const replicas = [" How many items are in flight at once."];
  const inputs = document.getIn(["spec", "inputs"], true);
  if (inputs instanceof YAMLMap) {
    for (const field of required) commentKey(inputs, field.name, ` ${commentOf(field)}`);
    if (optional.length > 0) inputs.comment = optional.join("\n");
  } else if (optional.length > 0) replicas.unshift(" inputs:", optional.join("\n").replaceAll(/^/gm, "  "));
  commentKey(written, "replicas", replicas.join("\n"));
  return document.toString({ lineWidth: 100 });
}

function commentKey(map: YAMLMap, name: string, comment: string): void {
  const key = (map.items as Pair<Scalar<string>>[]).find((pair) => pair.key.value === name)?.key;
  if (key) key.commentBefore = comment;
}

function commentOf({ type, description }: InputField): string {
  return description ? `${type}. ${description}` : type;
}

function optionalLines(field: InputField): string {
  return ` ${commentOf(field)}\n ${field.name}: ${JSON.stringify(placeholderOf(field.schema))}`;
}
