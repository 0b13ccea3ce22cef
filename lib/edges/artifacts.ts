import type { Driver } from "unstorage";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
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
}

export type ArtifactExtension = "html" | "txt" | "json" | "png" | "jpg" | "md" | "pdf" | "svg";

/** The hash in an artifact's key. */
export function digestOf(key: string): string {
  const match = /\/([0-9a-f]{64})\.[a-z]+$/.exec(key);
  if (!match?.[1]) throw new TerminalError("InvalidArtifactKey", `${JSON.stringify(key)} is not an artifact key`);
  return match[1];
}

export function createFolderArtifacts(folder: string): Artifacts {
  return createArtifacts(fsDriver({ base: folder, noClear: true }));
}

function createArtifacts(driver: Driver): Artifacts {
  const storage = createStorage({ driver });
  return {
    async put(scope, data, extension) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      const key = `${scope}/${sha256(bytes)}.${extension}`;
      try {
        await storage.setItemRaw(key, bytes);
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause);
        throw new RetryableError("ArtifactStoreUnavailable", `the artifact store did not take ${key}: ${detail}`, {
          cause,
          retryAfterSeconds: 2,
        });
      }
      return key;
    },
    async get(key) {
      const digest = digestOf(key);
      let stored: unknown;
      try {
        stored = await storage.getItemRaw(key);
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause);
        throw new RetryableError("ArtifactStoreUnavailable", `the artifact store did not give ${key}: ${detail}`, {
          cause,
          retryAfterSeconds: 2,
        });
      }
      if (!(stored instanceof Uint8Array))
        throw new TerminalError("ArtifactMissing", `artifact ${key} is not in the store`);
      if (sha256(stored) !== digest)
        throw new TerminalError("ArtifactCorrupt", `artifact ${key} does not match its hash`);
      return stored;
    },
  };
}

/** Reads a JSON artifact; the caller's schema says what it is. */
export async function getJson<T>(artifacts: Artifacts, key: string, schema: { parse(value: unknown): T }): Promise<T> {
  return schema.parse(JSON.parse(new TextDecoder().decode(await artifacts.get(key))));
}
