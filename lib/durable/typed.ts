import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

/** A serialized value with its type in front, in one Redis string: `type NUL bytes`. Binary values stay bytes. */
export async function pack(serde: SerializerProtocol, value: unknown): Promise<Buffer> {
  const [type, bytes] = await serde.dumpsTyped(value);
  return Buffer.concat([Buffer.from(`${type}\0`), bytes]);
}

export async function unpack(serde: SerializerProtocol, packed: Buffer): Promise<unknown> {
  const end = packed.indexOf(0);
  return serde.loadsTyped(packed.toString("utf8", 0, end), packed.subarray(end + 1));
}
