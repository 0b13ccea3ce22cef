import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A log record as it came over the wire. */
export interface ReceivedRecord {
  readonly service: unknown;
  readonly scope: string;
  readonly event: string;
  readonly severity: number;
  readonly body: unknown;
  readonly traceId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A receiver of OTLP over HTTP that keeps the log records. `answer`: how it answers, also later. */
export async function startLogReceiver() {
  const records: ReceivedRecord[] = [];
  const posts: Buffer[] = [];
  const receiver = { answer: (response: ServerResponse): void => void response.writeHead(200).end() };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/v1/logs") {
        posts.push(Buffer.concat(chunks));
        records.push(...readLogs(Buffer.concat(chunks)));
      }
      receiver.answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    receiver,
    records,
    posts,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An ExportLogsServiceRequest (opentelemetry.proto.collector.logs.v1), by the numbers of its fields. */
function readLogs(bytes: Uint8Array): ReceivedRecord[] {
  return parts(bytes, 1).flatMap((resourceLogs) => {
    const service = attributesOf(parts(resourceLogs, 1)[0] ?? NONE, 1)["service.name"];
    return parts(resourceLogs, 2).flatMap((scopeLogs) => {
      const scope = textOf(parts(parts(scopeLogs, 1)[0] ?? NONE, 1)[0]);
      return parts(scopeLogs, 2).map((record) => ({
        service,
        scope,
        event: textOf(parts(record, 12)[0]),
        severity: Number(fields(record).find(([field]) => field === 2)?.[1] ?? 0),
        body: anyOf(parts(record, 5)[0] ?? NONE),
        traceId: Buffer.from(parts(record, 9)[0] ?? NONE).toString("hex"),
        attributes: attributesOf(record, 6),
      }));
    });
  });
}

const NONE = new Uint8Array();
const textOf = (bytes: Uint8Array = NONE): string => Buffer.from(bytes).toString();

function attributesOf(message: Uint8Array, field: number): Record<string, unknown> {
  return Object.fromEntries(
    parts(message, field).map((pair) => [textOf(parts(pair, 1)[0]), anyOf(parts(pair, 2)[0] ?? NONE)]),
  );
}

/** An AnyValue: string 1, bool 2, int 3, array 5, map 6. */
function anyOf(any: Uint8Array): unknown {
  const [[field, value] = []] = fields(any);
  if (value instanceof Uint8Array) {
    if (field === 5) return parts(value, 1).map(anyOf);
    return field === 6 ? attributesOf(value, 1) : textOf(value);
  }
  return field === 2 ? value === 1n : Number(value ?? 0);
}

const parts = (message: Uint8Array, field: number): Uint8Array[] =>
  fields(message).flatMap(([number, value]) => (number === field && value instanceof Uint8Array ? [value] : []));

/** The fields of a protobuf message: of fixed length and varints as numbers, all others as bytes. */
function fields(message: Uint8Array): [number, Uint8Array | bigint][] {
  const found: [number, Uint8Array | bigint][] = [];
  const view = Buffer.from(message);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    at += length;
    return view.subarray(at - length, at);
  };
  while (at < view.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    if (wire === 0) found.push([tag >> 3, varint()]);
    else if (wire === 2) found.push([tag >> 3, take(Number(varint()))]);
    else
      found.push([
        tag >> 3,
        BigInt(
          `0x${Buffer.from(take(wire === 1 ? 8 : 4))
            .reverse()
            .toString("hex")}`,
        ),
      ]);
  }
  return found;
}
