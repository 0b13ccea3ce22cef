/**
 * Bytes under keys `<scope>/<name>`, without any check of what they are. What a caller can do nothing about is a TerminalError;
 * every other error may pass.
 */
export interface ObjectStore {
  /** Undefined where no object has this key. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Creates or replaces the object. A reader sees the old bytes or the new ones, never a part. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Removes every object whose key starts with `<scope>/`. */
  remove(scope: string): Promise<void>;
}
