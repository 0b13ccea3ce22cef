import type { Outcomes } from "./outcomes.ts";
import type { Run } from "./run.ts";
import { stepOf } from "./run.ts";
import { SUMMARY } from "./summary.ts";

/** One of a run's outputs. */
export interface Output {
  /** Its role; in a fan-out with the item's number before it. */
  readonly name: string;
  readonly role: string;
  /** Artifact key. */
  readonly key: string;
  /** Of the item, in a fan-out. */
  readonly index?: number;
}

/** The artifacts of the pipeline's output step, of each of its items that succeeded. */
export function outputsOf({ pipeline }: Pick<Run, "pipeline">, outcomes: Outcomes): Output[] {
  const isFanOut = stepOf({ pipeline }, pipeline.output)?.forEach !== undefined;
  return (outcomes.get(pipeline.output) ?? []).flatMap((one, index) =>
    one?.outcome === "succeeded" ? outputsIn(one.artifacts, isFanOut ? index : undefined) : [],
  );
}

/** Those among the artifacts that the output step left. The summary is for reviewers, and a role such as `.asked` for the next run alone. */
export function outputsIn(artifacts: Readonly<Record<string, string>>, index: number | undefined): Output[] {
  return artifactsIn(artifacts, index).filter(({ role }) => role !== SUMMARY && !/^\.[a-z]/.test(role));
}

/** All of them, named as outputs are. */
export function artifactsIn(artifacts: Readonly<Record<string, string>>, index: number | undefined): Output[] {
  return Object.entries(artifacts).map(([role, key]) =>
    index === undefined ? { name: role, role, key } : { name: `${index}-${role}`, role, key, index },
  );
}
