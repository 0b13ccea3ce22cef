import { LRUCache } from "lru-cache";
import { indexResults, runResultsSchema } from "../../engine/comparison.ts";
import { upstream } from "../../engine/outcomes.ts";
import type { PreviousResult } from "../../engine/result.ts";
import type { Run } from "../../engine/run.ts";
import type { Instance } from "../../engine/walk.ts";
import { type ArtifactReader, getIfOwn } from "../edges/artifacts.ts";
import { parseJson } from "../parse-json.ts";
import type { ResultReader } from "./results.ts";

/**
 * How a step ended on the same item in the run that this one is compared with. Undefined: it did not run there, or does not ask; "lost": the
 * bytes are gone, or are no results. @throws RetryableError ArtifactStoreUnavailable; TerminalError StoreRefused
 */
export type FindPrevious = (run: Run, instance: Instance) => Promise<PreviousResult | "lost" | undefined>;

interface Index {
  readonly run: string;
  readonly digestOf: ReturnType<typeof indexResults>;
}

/** Characters of the indexes kept in memory: reconcile asks one of them for each item, at every look. */
const CACHED_LENGTH = 16 * 1024 * 1024;

export function createFindPrevious(artifacts: ArtifactReader, results: ResultReader): FindPrevious {
  // A key names its bytes for good, so an entry is never stale.
  const cache = new LRUCache<string, Index>({ maxSize: CACHED_LENGTH });
  const read = async (owner: { namespace: string; uid: string }, key: string): Promise<Index | undefined> => {
    const known = cache.get(key);
    if (known) return known;
    const bytes = await getIfOwn(artifacts, owner, key);
    const text = bytes && new TextDecoder().decode(bytes);
    const parsed = runResultsSchema.safeParse(text === undefined ? undefined : parseJson(text));
    if (text === undefined || !parsed.success) return undefined;
    const index = { run: parsed.data.run, digestOf: indexResults(parsed.data) };
    cache.set(key, index, { size: text.length });
    return index;
  };
  return async ({ workload: { namespace }, comparison }, { step, item }) => {
    const { workload: name, uid, results: key } = comparison ?? {};
    if (!step.previous || name === undefined || uid === undefined || key === undefined) return undefined;
    const workload = { namespace, name, uid };
    const index = await read(workload, key);
    if (!index) return "lost";
    const digest = index.digestOf(step.name, item);
    if (digest === undefined) return undefined;
    const result = await results.get(workload, digest);
    return result ? { workload, run: index.run, result: upstream(result, item) } : "lost";
  };
}
