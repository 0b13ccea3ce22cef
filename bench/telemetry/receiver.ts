import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What a receiver does with what it gets. */
export type Behaviour = "takes it" | "answers 500" | "takes 10 s" | "never answers";

export interface Receiver {
  readonly endpoint: string;
  /** Since the last reset. */
  readonly taken: { spans: number; bytes: number };
  behave(how: Behaviour): void;
  close(): Promise<void>;
}

/** A receiver of OTLP over HTTP on loopback that counts what it takes. */
export async function startReceiver(): Promise<Receiver> {
  const taken = { spans: 0, bytes: 0 };
  let behaviour: Behaviour = "takes it";
  const server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray());
    if (behaviour === "takes it") {
      taken.bytes += body.length;
      if (incoming.url === "/v1/traces") taken.spans += countSpans(body);
    }
    await answer(response, behaviour);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    behave(how) {
      behaviour = how;
      Object.assign(taken, { spans: 0, bytes: 0 });
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(response: ServerResponse, behaviour: Behaviour): Promise<void> {
  if (behaviour === "never answers") return;
  if (behaviour === "takes 10 s") await sleep(10_000, undefined, { ref: false });
  response.writeHead(behaviour === "answers 500" ? 500 : 200, { "content-type": "application/x-protobuf" }).end();
}

/** Of an ExportTraceServiceRequest: field 1 has ResourceSpans, whose field 2 has ScopeSpans, whose field 2 has a Span each. */
function countSpans(request: Uint8Array): number {
  return fieldsOf(request, 1)
    .flatMap((resource) => fieldsOf(resource, 2))
    .flatMap((scope) => fieldsOf(scope, 2)).length;
}

const [VARINT, FIXED_64, BYTES, FIXED_32] = [0, 1, 2, 5];

/** Protocol Buffers' wire format: the byte strings under this number. */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === VARINT) varint();
    else if (kind === FIXED_64) at += 8;
    else if (kind === FIXED_32) at += 4;
    else if (kind === BYTES) {
      const length = varint();
      if (Math.floor(tag / 8) === wanted) found.push(message.subarray(at, at + length));
      at += length;
    } else throw new Error(`wire type ${kind} is unknown`);
  }
  return found;
}
