import { LRUCache } from "lru-cache";
import { type ArtifactOwner, artifactKey } from "../../engine/artifact-key.ts";
import { canonicalJson } from "../../engine/canonical.ts";
import { type StepResult, stepResultSchema } from "../../engine/result.ts";
import { type ArtifactReader, type Artifacts, digestOf, getIfKept } from "../edges/artifacts.ts";

/** Step results in the object store, by the SHA-256 of their canonical JSON. They are artifacts of their workload. */
export interface ResultStore {
  /** @returns the digest, 64 hex characters. @throws RetryableError ArtifactStoreUnavailable; TerminalError StoreRefused */
  put(workload: ArtifactOwner, result: StepResult): Promise<string>;
  /** Undefined: its bytes are gone, or are no result. @throws RetryableError ArtifactStoreUnavailable; TerminalError StoreRefused */
  get(workload: ArtifactOwner, digest: string): Promise<StepResult | undefined>;
}

/** Characters of JSON kept in memory: reconcile reads the same thousand results at every look at a run. */
const CACHED_LENGTH = 8 * 1024 * 1024;
const DIGEST = /^[0-9a-f]{64}$/;

export type ResultReader = Pick<ResultStore, "get">;
// A digest names its bytes for good, so an entry is never stale.
type Cache = LRUCache<string, StepResult>;

const createCache = (): Cache => new LRUCache({ maxSize: CACHED_LENGTH });

export function createResultStore(artifacts: Artifacts): ResultStore {
  const cache = createCache();
  return {
    async put(workload, result) {
      const json = canonicalJson(result);
      const key = await artifacts.put(workload, json, "json");
      parseResult(cache, key, json);
      return digestOf(key);
    },
    ...createResultReader(artifacts, cache),
  };
}

export function createResultReader(artifacts: ArtifactReader, cache = createCache()): ResultReader {
  return {
    async get(workload, digest) {
      // A digest comes from Redis or from a Workflow, where others can write.
      if (!DIGEST.test(digest)) return undefined;
      const key = artifactKey(workload, digest, "json");
      const cached = cache.get(key);
      if (cached) return cached;
      const bytes = await getIfKept(artifacts, workload, key);
      if (!bytes) return undefined;
      try {
        return parseResult(cache, key, new TextDecoder().decode(bytes));
      } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
      }
    },
  };
}

function parseResult(cache: Cache, key: string, json: string): StepResult | undefined {
  const parsed = stepResultSchema.safeParse(JSON.parse(json));
  if (!parsed.success) return undefined;
  cache.set(key, parsed.data, { size: json.length });
  return parsed.data;
}
