import { isArtifactOf } from "../../engine/artifact-key.ts";
import type { SeenWorkload } from "./cluster.ts";

/** One output of a run, and the file it is saved as. */
export interface OutputFile {
  /** As status.outputs names it: the artifact's role; in a fan-out with the item's number before it. */
  readonly name: string;
  /** The extension of its key. */
  readonly type: string;
  readonly key: string;
  readonly file: string;
}

/** WORKLOAD.EXT; where several have one extension, NAME.EXT. What is no artifact of this workload is none of its outputs. */
export function outputFiles({ metadata, status }: Pick<SeenWorkload, "metadata" | "status">): OutputFile[] {
  const own = Object.entries(status?.outputs ?? {})
    .filter(([, key]) => isArtifactOf(metadata, key))
    .map(([name, key]) => ({ name, key, type: key.slice(key.lastIndexOf(".") + 1) }));
  const taken = new Set<string>();
  return own.map((one) => {
    const isOnly = own.filter(({ type }) => type === one.type).length === 1;
    // A name is an agent's text: it must not lead to a file elsewhere, nor over another output.
    const base = isOnly ? metadata.name : one.name.replaceAll(/[^\w-]+/g, "_");
    let file = `${base}.${one.type}`;
    for (let copy = 2; taken.has(file.toLowerCase()); copy++) file = `${base}-${copy}.${one.type}`;
    taken.add(file.toLowerCase());
    return { ...one, file };
  });
}
