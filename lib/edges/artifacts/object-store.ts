/**
 * Bytes under keys `<scope>/<name>`, without any check of what they are. What a caller can do nothing about is a TerminalError;
 * every other error may pass.
 */
export interface ObjectStore {
  /** Undefined where no object has this key. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Creates or replaces the object. A reader sees the old bytes or the new ones, never a part. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Creates the object. @returns false: there is one of this key already, which stays as it is */
  create(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Keys that start with `prefix`, which ends with a slash; with `modifiedSince` those of objects that are not older, by the store's clock. */
  list(prefix: string, modifiedSince?: Date): AsyncIterable<readonly string[]>;
  /** Removes every object whose key starts with `<scope>/`. */
  remove(scope: string): Promise<void>;
}
