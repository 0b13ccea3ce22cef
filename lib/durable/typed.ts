import { createHash } from "node:crypto";
import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

/** A serialized value with its type in front, in one Redis string: `type NUL bytes`. Binary values stay bytes. */
export async function pack(serde: SerializerProtocol, value: unknown): Promise<Buffer> {
  const [type, bytes] = await serde.dumpsTyped(value);
  return Buffer.concat([Buffer.from(`${type}\0`), bytes]);
}

/** @throws Error when there are no bytes: the store lost them, or somebody else wrote to it */
export async function unpack(serde: SerializerProtocol, packed: Buffer | undefined): Promise<unknown> {
  if (!packed) throw new Error("a checkpoint's bytes are missing in Redis");
  const end = packed.indexOf(0);
  const type = packed.toString("utf8", 0, end);
  const bytes = packed.subarray(end + 1);
  // A node returned a Uint8Array, so the next one gets a Uint8Array: a Buffer has other methods, and another JSON form.
  return serde.loadsTyped(type, type === "bytes" ? new Uint8Array(bytes) : bytes);
}

/** SHA-256 of packed bytes, base64url: 43 characters. */
export function digestOf(packed: Buffer): string {
  return createHash("sha256").update(packed).digest("base64url");
}
