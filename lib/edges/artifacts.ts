import { fileURLToPath } from "node:url";
import type { Driver } from "unstorage";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs-lite";
import { sha256 } from "../canonical.ts";
import { RetryableError, TerminalError } from "../errors.ts";

/**
 * Bytes by content address. A key is `<scope>/<sha256>.<extension>`, scope being the workload's uid, so that a workload's
 * bytes can be dropped together and the same bytes are stored once. What is read is checked against its key.
 */
export interface Artifacts {
  put(scope: string, bytes: Uint8Array | string, extension: ArtifactExtension): Promise<string>;
  /** @throws TerminalError ArtifactMissing, ArtifactCorrupt; RetryableError ArtifactStoreUnavailable */
  get(key: string): Promise<Uint8Array>;
  /** Removes all of a scope's bytes. @throws RetryableError ArtifactStoreUnavailable */
  drop(scope: string): Promise<void>;
}

export type ArtifactExtension = "html" | "txt" | "json" | "png" | "jpg" | "md" | "pdf" | "svg";

/** The hash in an artifact's key. */
export function digestOf(key: string): string {
  const match = /\/([0-9a-f]{64})\.[a-z]+$/.exec(key);
  if (!match?.[1]) throw new TerminalError("InvalidArtifactKey", `${JSON.stringify(key)} is not an artifact key`);
  return match[1];
}

export interface ArtifactStoreSettings {
  /** file:///folder, redis://host or s3://bucket */
  readonly url: string;
  readonly s3?: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };
}

/** @throws Error for a URL that names no store we know. */
export async function openArtifacts(settings: ArtifactStoreSettings): Promise<Artifacts> {
  const url = new URL(settings.url);
  switch (url.protocol) {
    case "file:":
      return createFolderArtifacts(fileURLToPath(url));
    case "redis:":
    case "rediss:": {
      const { default: redisDriver } = await import("unstorage/drivers/redis");
      return createArtifacts(redisDriver({ url: settings.url, base: "agentic:artifacts" }));
    }
    case "s3:": {
      if (!settings.s3)
        throw new Error("ARTIFACTS_URL names S3: set S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY");
      const { default: s3Driver } = await import("unstorage/drivers/s3");
      return createArtifacts(s3Driver({ ...settings.s3, bucket: url.hostname }));
    }
    default:
      throw new Error(`ARTIFACTS_URL: ${url.protocol} is none of file:, redis:, rediss:, s3:`);
  }
}

export function createFolderArtifacts(folder: string): Artifacts {
  return createArtifacts(fsDriver({ base: folder }));
}

function createArtifacts(driver: Driver): Artifacts {
  const storage = createStorage({ driver });
  const read = async (key: string): Promise<Uint8Array | undefined> => {
    let stored: unknown;
    try {
      stored = await storage.getItemRaw(key);
    } catch (cause) {
      throw unavailable("give", key, cause);
    }
    // The folder driver returns some errors instead of throwing them.
    if (stored instanceof Error) throw unavailable("give", key, stored);
    return stored instanceof Uint8Array ? stored : undefined;
  };
  return {
    async put(scope, data, extension) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      const digest = sha256(bytes);
      const key = `${scope}/${digest}.${extension}`;
      // Never write again what is whole: a reader could meet it half written.
      const stored = await read(key);
      if (stored && sha256(stored) === digest) return key;
      try {
        await storage.setItemRaw(key, bytes);
      } catch (cause) {
        throw unavailable("take", key, cause);
      }
      return key;
    },
    async get(key) {
      const digest = digestOf(key);
      const stored = await read(key);
      if (!stored) throw new TerminalError("ArtifactMissing", `artifact ${key} is not in the store`);
      if (sha256(stored) !== digest)
        throw new TerminalError("ArtifactCorrupt", `artifact ${key} does not match its hash`);
      return stored;
    },
    async drop(scope) {
      try {
        await storage.clear(scope);
      } catch (cause) {
        throw unavailable("remove", scope, cause);
      }
    },
  };
}

function unavailable(verb: "give" | "take" | "remove", key: string, cause: unknown): RetryableError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new RetryableError("ArtifactStoreUnavailable", `the artifact store did not ${verb} ${key}: ${detail}`, {
    cause,
    retryAfterSeconds: 2,
    countsAsAttempt: false,
  });
}

/** Reads a JSON artifact; the caller's schema says what it is. */
export async function getJson<T>(artifacts: Artifacts, key: string, schema: { parse(value: unknown): T }): Promise<T> {
  return schema.parse(JSON.parse(new TextDecoder().decode(await artifacts.get(key))));
}
