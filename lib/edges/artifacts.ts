import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../engine/canonical.ts";
import { RetryableError, TerminalError } from "../errors.ts";
import { createFolderStore } from "./artifacts/folder.ts";
import type { ObjectStore } from "./artifacts/object-store.ts";
import type { S3Settings } from "./artifacts/s3.ts";

/** A store that does not put an object in place at once shows a part of it for a moment. */
const CORRUPT = { rereads: 3, pauseMs: 100 };

/**
 * Content-addressed bytes. A key is `<scope>/<sha256>.<extension>`; the scope is the workload's uid, so that all bytes of a
 * workload can be dropped together and equal bytes are stored once. Every read checks the bytes against their key.
 */
export interface Artifacts {
  /**
   * Stores the bytes unless they are there and whole. @returns their key
   * @throws TerminalError StoreRefused; RetryableError ArtifactStoreUnavailable, with the reason as its cause
   */
  put(scope: string, bytes: Uint8Array | string, extension: ArtifactExtension): Promise<string>;
  /** @throws TerminalError ArtifactMissing, ArtifactCorrupt, StoreRefused; RetryableError ArtifactStoreUnavailable */
  get(key: string): Promise<Uint8Array>;
  /** Removes all of a scope's bytes. @throws TerminalError StoreRefused; RetryableError ArtifactStoreUnavailable */
  drop(scope: string): Promise<void>;
}

export type ArtifactExtension = "html" | "txt" | "json" | "png" | "jpg" | "md" | "pdf" | "svg" | "csv";

/** One or more path segments that are no dot files: nothing outside the store can be named. */
const SCOPE = /[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*/.source;
const SCOPE_FORM = new RegExp(`^${SCOPE}$`);
const KEY_FORM = new RegExp(`^${SCOPE}/([0-9a-f]{64})\\.[a-z]+$`);

/** The SHA-256 in an artifact's key. @throws TerminalError InvalidArtifactKey */
export function digestOf(key: string): string {
  const digest = KEY_FORM.exec(key)?.[1];
  if (!digest) throw invalidKey(key, "an artifact key");
  return digest;
}

export interface ArtifactStoreSettings {
  /** file:///folder or s3://bucket */
  readonly url: string;
  readonly s3?: S3Settings;
}

/** @throws Error for settings that name no store */
export async function openArtifacts(settings: ArtifactStoreSettings): Promise<Artifacts> {
  const url = new URL(settings.url);
  switch (url.protocol) {
    case "file:":
      return createFolderArtifacts(fileURLToPath(url));
    case "s3:": {
      if (!url.hostname || !["", "/"].includes(url.pathname))
        throw new Error("ARTIFACTS_URL must name a bucket and nothing below it, as in s3://bucket");
      if (!settings.s3)
        throw new Error("ARTIFACTS_URL names S3: set S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY");
      // Loaded only where it is used: a function's start waits for it.
      const { createS3Store } = await import("./artifacts/s3.ts");
      return createArtifacts(createS3Store(url.hostname, settings.s3));
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
    async put(scope, data, extension) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      const digest = sha256(bytes);
      const key = `${checkedScope(scope)}/${digest}.${extension}`;
      const stored = await attempt("read", key, store.read(key));
      // Only the bytes themselves show whether they are whole: a corrupt object can have the right length.
      if (!stored || sha256(stored) !== digest) await attempt("write", key, store.write(key, bytes));
      return key;
    },
    async get(key) {
      const digest = digestOf(key);
      for (let left = CORRUPT.rereads; ; left--) {
        const stored = await attempt("read", key, store.read(key));
        if (!stored) throw new TerminalError("ArtifactMissing", `artifact ${key} is not in the store`);
        if (sha256(stored) === digest) return stored;
        if (left === 0) throw new TerminalError("ArtifactCorrupt", `artifact ${key} does not match its SHA-256`);
        await sleep(CORRUPT.pauseMs);
      }
    },
    async drop(scope) {
      await attempt("remove", scope, store.remove(checkedScope(scope)));
    },
  };
}

function checkedScope(scope: string): string {
  if (!SCOPE_FORM.test(scope)) throw invalidKey(scope, "a scope of artifacts");
  return scope;
}

const invalidKey = (text: string, what: string): TerminalError =>
  new TerminalError("InvalidArtifactKey", `${JSON.stringify(text)} is not ${what}`);

async function attempt<T>(verb: "read" | "write" | "remove", what: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
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
export async function getIfKept(artifacts: Artifacts, key: string): Promise<Uint8Array | undefined> {
  try {
    return await artifacts.get(key);
  } catch (error) {
    if (error instanceof TerminalError && GONE.has(error.reason)) return undefined;
    throw error;
  }
}

/** Reads a JSON artifact and checks it by the caller's schema. */
export async function getJson<T>(artifacts: Artifacts, key: string, schema: { parse(value: unknown): T }): Promise<T> {
  return schema.parse(JSON.parse(new TextDecoder().decode(await artifacts.get(key))));
}
