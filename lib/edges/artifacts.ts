import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ArtifactOwner, artifactKey, artifactScope, digestIn, isArtifactOf } from "../../engine/artifact-key.ts";
import { sha256 } from "../../engine/canonical.ts";
import { RetryableError, TerminalError } from "../errors.ts";
import { parseJson } from "../parse-json.ts";
import { inStoreCall, type StoreVerb } from "../telemetry/store-call.ts";
import { readBuckets } from "./artifacts/bucket.ts";
import { createFolderStore } from "./artifacts/folder.ts";
import type { ObjectStore } from "./artifacts/object-store.ts";
import type { S3Settings } from "./artifacts/s3-client.ts";

/** A store that does not put an object in place at once shows a part of it for a moment. */
const CORRUPT = { rereads: 3, pauseMs: 100 };

/**
 * Content-addressed bytes. They belong to a workload, so that they can be dropped together, and equal bytes of it are stored once. Every
 * read checks the bytes against their key, and that the key is of this workload: agents name keys, and whoever reads for them may reach
 * more than they do.
 */
export interface Artifacts {
  /**
   * Stores the bytes unless they are there and whole. @returns their key (engine/artifact-key.ts)
   * @throws TerminalError StoreRefused, InvalidArtifactKey; RetryableError ArtifactStoreUnavailable, with the reason as its cause
   */
  put(workload: ArtifactOwner, bytes: Uint8Array | string, extension: ArtifactExtension): Promise<string>;
  /** @throws TerminalError ArtifactMissing, ArtifactCorrupt, InvalidArtifactKey, StoreRefused; RetryableError ArtifactStoreUnavailable */
  get(workload: ArtifactOwner, key: string): Promise<Uint8Array>;
  /** Removes all bytes of a workload. @throws TerminalError StoreRefused, InvalidArtifactKey; RetryableError ArtifactStoreUnavailable */
  drop(workload: ArtifactOwner): Promise<void>;
}

/** Reads, and nothing else. */
export type ArtifactReader = Pick<Artifacts, "get">;

export type ArtifactExtension =
  | "html"
  | "txt"
  | "json"
  | "png"
  | "jpg"
  | "md"
  | "pdf"
  | "svg"
  | "csv"
  | "xlsx"
  | "pptx";

/** The SHA-256 in an artifact's key. @throws TerminalError InvalidArtifactKey */
export function digestOf(key: string): string {
  const digest = digestIn(key);
  if (digest === undefined) throw invalidKey(`${JSON.stringify(key)} is not an artifact key`);
  return digest;
}

export interface ArtifactStoreSettings {
  /** file:///folder, s3://bucket, or s3://prefix-{namespace} for a bucket of each namespace */
  readonly url: string;
  readonly s3?: S3Settings;
}

/** @throws Error for settings that name no store */
export async function openArtifacts(settings: ArtifactStoreSettings): Promise<Artifacts> {
  return createArtifacts(await openObjectStore(settings));
}

/** The store itself, without any check of what its bytes are. @throws Error for settings that name none */
export async function openObjectStore(settings: ArtifactStoreSettings): Promise<ObjectStore> {
  const url = new URL(settings.url);
  switch (url.protocol) {
    case "file:":
      return createFolderStore(fileURLToPath(url));
    case "s3:": {
      const buckets = readBuckets(settings.url);
      if (!settings.s3)
        throw new Error("ARTIFACTS_URL names S3: set S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY");
      // Loaded only where it is used: a function's start waits for it.
      const { createS3Store } = await import("./artifacts/s3.ts");
      return createS3Store(buckets, settings.s3);
    }
    default:
      throw new Error(`ARTIFACTS_URL starts with ${url.protocol}: use file:///folder or s3://bucket`);
  }
}

export function createFolderArtifacts(folder: string): Artifacts {
  return createArtifacts(createFolderStore(folder));
}

function createArtifacts(store: ObjectStore): Artifacts {
  return {
    async put(workload, data, extension) {
      checkedScope(workload);
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      const digest = sha256(bytes);
      const key = artifactKey(workload, digest, extension);
      const stored = await attempt("read", key, () => store.read(key));
      // Only the bytes themselves show whether they are whole: a corrupt object can have the right length.
      if (!stored || sha256(stored) !== digest) await attempt("write", key, () => store.write(key, bytes));
      return key;
    },
    ...createArtifactReader(store),
    async drop(workload) {
      const scope = checkedScope(workload);
      await attempt("remove", scope, () => store.remove(scope));
    },
  };
}

/** Checks each byte that it hands on, wherever that comes from. */
export function createArtifactReader(store: Pick<ObjectStore, "read">): ArtifactReader {
  return {
    async get(workload, key) {
      if (!isArtifactOf(workload, key))
        throw invalidKey(`${JSON.stringify(key)} is not an artifact of workload ${workload.namespace}/${workload.uid}`);
      const digest = digestOf(key);
      for (let left = CORRUPT.rereads; ; left--) {
        const stored = await attempt("read", key, () => store.read(key));
        if (!stored) throw new TerminalError("ArtifactMissing", `artifact ${key} is not in the store`);
        if (sha256(stored) === digest) return stored;
        if (left === 0) throw new TerminalError("ArtifactCorrupt", `artifact ${key} does not match its SHA-256`);
        await sleep(CORRUPT.pauseMs);
      }
    },
  };
}

function checkedScope(workload: ArtifactOwner): string {
  const scope = artifactScope(workload);
  if (scope === undefined)
    throw invalidKey(`${JSON.stringify(`${workload.namespace}/${workload.uid}`)} names no workload`);
  return scope;
}

const invalidKey = (message: string): TerminalError => new TerminalError("InvalidArtifactKey", message);

async function attempt<T>(verb: StoreVerb, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await inStoreCall(verb, what, action);
  } catch (cause) {
    if (cause instanceof TerminalError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RetryableError("ArtifactStoreUnavailable", `the artifact store could not ${verb} ${what}: ${reason}`, {
      cause,
      retryAfterSeconds: 2,
      countsAsAttempt: false,
    });
  }
}

const GONE: ReadonlySet<string> = new Set(["ArtifactMissing", "ArtifactCorrupt"]);

/** Undefined: its bytes are gone, or are not what the key says. @throws as Artifacts.get otherwise */
export async function getIfKept(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  key: string,
): Promise<Uint8Array | undefined> {
  try {
    return await artifacts.get(workload, key);
  } catch (error) {
    if (error instanceof TerminalError && GONE.has(error.reason)) return undefined;
    throw error;
  }
}

/** As getIfKept, of a key that comes from where others write: one that is not this workload's is as good as none. */
export async function getIfOwn(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  key: string,
): Promise<Uint8Array | undefined> {
  return isArtifactOf(workload, key) ? getIfKept(artifacts, workload, key) : undefined;
}

/** As getIfOwn, of JSON: what has another form than the caller's schema is as good as none, too. */
export async function getOwnJson<T>(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  key: string,
  schema: { safeParse(value: unknown): { readonly data?: T | undefined } },
): Promise<T | undefined> {
  const bytes = await getIfOwn(artifacts, workload, key);
  return bytes && schema.safeParse(parseJson(new TextDecoder().decode(bytes))).data;
}

/** Reads an artifact of text. @throws as Artifacts.get */
export async function getText(artifacts: ArtifactReader, workload: ArtifactOwner, key: string): Promise<string> {
  return new TextDecoder().decode(await artifacts.get(workload, key));
}

/** Reads a JSON artifact and checks it by the caller's schema. */
export async function getJson<T>(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  key: string,
  schema: { parse(value: unknown): T },
): Promise<T> {
  return schema.parse(JSON.parse(await getText(artifacts, workload, key)));
}
