import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

/** A span as it came: OTLP's JSON, with attributes as plain values. */
export interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface FakeLangfuse {
  readonly baseUrl: string;
  readonly keys: { readonly publicKey: string; readonly secretKey: string };
  /** Settings of a process that sends to it. */
  readonly settings: Record<"LANGFUSE_PUBLIC_KEY" | "LANGFUSE_SECRET_KEY" | "LANGFUSE_BASE_URL", string>;
  readonly spans: readonly SentSpan[];
  /** By id: the API keeps one for each. */
  readonly scores: ReadonlyMap<string, z.infer<typeof scoreSchema>>;
  /** METHOD /path STATUS of each request, `…` where it has no answer. */
  readonly requests: readonly string[];
  /** Headers of the last request that brought spans. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** What it does from now on. A number: that status. */
  behave(how: "well" | "hang" | number): void;
  reset(): void;
  close(): Promise<void>;
}

/**
 * Langfuse's public API on loopback, as far as this project speaks to it: OTLP over HTTP in JSON, scores by REST. Its answers follow its
 * documentation, and its server's source where that says more.
 */
export async function startFakeLangfuse(): Promise<FakeLangfuse> {
  const keys = { publicKey: "pk-lf-test", secretKey: "sk-lf-test" };
  const authorization = `Basic ${Buffer.from(`${keys.publicKey}:${keys.secretKey}`).toString("base64")}`;
  const spans: SentSpan[] = [];
  const scores = new Map<string, z.infer<typeof scoreSchema>>();
  const requests: string[] = [];
  let headers: Record<string, unknown> = {};
  let behaviour: "well" | "hang" | number = "well";
  const take = (incoming: IncomingMessage, body: string): { status: number; answer: unknown } => {
    if (incoming.headers.authorization !== authorization) return { status: 401, answer: { message: "Unauthorized" } };
    if (incoming.url === "/api/public/otel/v1/traces") {
      headers = incoming.headers;
      spans.push(...spansOf(tracesSchema.parse(JSON.parse(body))));
      return { status: 200, answer: {} };
    }
    if (incoming.url !== "/api/public/scores") return { status: 404, answer: { message: "Not found" } };
    const score = scoreSchema.parse(JSON.parse(body));
    scores.set(score.id, score);
    return { status: 200, answer: { id: score.id } };
  };
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const what = `${incoming.method} ${incoming.url}`;
    if (behaviour === "hang") {
      requests.push(`${what} …`);
      return;
    }
    const { status, answer } =
      typeof behaviour === "number"
        ? { status: behaviour, answer: { message: "as told" } }
        : take(incoming, Buffer.concat(chunks).toString("utf8"));
    requests.push(`${what} ${status}`);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    baseUrl,
    keys,
    settings: {
      LANGFUSE_PUBLIC_KEY: keys.publicKey,
      LANGFUSE_SECRET_KEY: keys.secretKey,
      LANGFUSE_BASE_URL: baseUrl,
    },
    spans,
    scores,
    requests,
    get headers() {
      return headers;
    },
    behave(how) {
      behaviour = how;
    },
    reset() {
      spans.length = 0;
      scores.clear();
      requests.length = 0;
      behaviour = "well";
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A value of OTLP's JSON encoding. 64-bit integers may come as text. */
const valueSchema: z.ZodType<unknown> = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
    z.strictObject({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
    z.strictObject({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
    z.strictObject({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
    z
      .strictObject({ arrayValue: z.object({ values: z.array(valueSchema) }) })
      .transform(({ arrayValue }) => arrayValue.values),
  ]),
);
const attributesSchema = z
  .array(z.object({ key: z.string(), value: valueSchema }))
  .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, value])));
const spanSchema = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: attributesSchema,
});
const tracesSchema = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })) })),
});

function spansOf({ resourceSpans }: z.infer<typeof tracesSchema>): SentSpan[] {
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map(({ parentSpanId, ...span }) => ({ ...span, parentSpanId }));
}

/** POST /api/public/scores, as far as scores of traces go. */
const commonScore = {
  id: z.string(),
  traceId: z.string(),
  name: z.string(),
  comment: z.string().optional(),
  environment: z
    .string()
    .regex(/^(?!langfuse)[a-z0-9_-]+$/)
    .optional(),
};
const scoreSchema = z.discriminatedUnion("dataType", [
  z.strictObject({ ...commonScore, dataType: z.literal("BOOLEAN"), value: z.union([z.literal(0), z.literal(1)]) }),
  z.strictObject({ ...commonScore, dataType: z.literal("NUMERIC"), value: z.number(), observationId: z.string() }),
]);
