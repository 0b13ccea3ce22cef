import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Tokens as the provider reports them. */
export interface FakeUsage {
  readonly input: number;
  readonly output: number;
  /** Parts of the input. */
  readonly cached?: number;
  readonly cacheWrite?: number;
  /** Part of the output. */
  readonly reasoning?: number;
}

/** The fake's answer to one request. `content` is the assistant's text; anything but a string is sent as JSON. */
export type FakeAnswer =
  | {
      readonly content: unknown;
      /** null: the answer reports no usage. */
      readonly usage?: FakeUsage | null;
      /** Sent as x-litellm-response-cost. */
      readonly costUsd?: number;
      readonly finishReason?: "stop" | "length" | "content_filter";
    }
  | { readonly refusal: string }
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly message?: string;
      readonly type?: string;
    }
  /** A body that is not a completion. */
  | { readonly body: string; readonly contentType?: string }
  | "never"
  /** Headers and the start of a body, then nothing. */
  | "stall"
  | "hang-up";

/** A request as it arrived. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string | readonly ContentPart[] }[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly reasoning_effort?: string;
  readonly temperature?: number;
  readonly response_format?: { readonly json_schema: { readonly name: string; readonly schema: unknown } };
  readonly tools?: unknown;
}
export interface ContentPart {
  readonly type: "text" | "image_url";
  readonly text?: string;
  readonly image_url?: { readonly url: string; readonly detail: string };
}

export interface FakeOpenAi {
  /** Ends with /v1. */
  readonly baseUrl: string;
  readonly requests: readonly ChatRequest[];
  readonly authorizations: readonly (string | undefined)[];
  /** Sets the answer to all later requests; a function gets the number of requests before this one. */
  answer(next: FakeAnswer | ((request: ChatRequest, before: number) => FakeAnswer | Promise<FakeAnswer>)): void;
  /** Clears the recorded requests and answers `{}` again. */
  reset(): void;
  close(): Promise<void>;
}

/**
 * A provider that serves OpenAI's chat completions on loopback and records the requests. It refuses parameters that OpenAI refuses for
 * the model.
 */
export async function startFakeOpenAi(): Promise<FakeOpenAi> {
  const requests: ChatRequest[] = [];
  const authorizations: (string | undefined)[] = [];
  let next: Parameters<FakeOpenAi["answer"]>[0] = { content: {} };
  const server = createServer(async (req, res) => {
    const body = await read(req);
    if (req.method !== "POST" || req.url !== "/v1/chat/completions") {
      fail(res, 404, {}, "no such path");
      return;
    }
    const request = JSON.parse(body) as ChatRequest;
    const before = requests.length;
    requests.push(request);
    authorizations.push(req.headers.authorization);
    const refused = refusedParameter(request);
    if (refused !== undefined) {
      fail(res, 400, {}, refused);
      return;
    }
    const answer = typeof next === "function" ? await next(request, before) : next;
    reply(res, request, before, answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    authorizations,
    answer(given) {
      next = given;
    },
    reset() {
      requests.length = 0;
      authorizations.length = 0;
      next = { content: {} };
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** All text of a request, in its order. */
export function saidIn(request: ChatRequest): string {
  return request.messages
    .flatMap(({ content }) => (typeof content === "string" ? [content] : content.map(({ text }) => text ?? "")))
    .join("\n");
}

/** As OpenAI's API answers for models that reason, and for those that do not. */
function refusedParameter(request: ChatRequest): string | undefined {
  const { max_tokens, max_completion_tokens, reasoning_effort, temperature } = request;
  if (max_tokens !== undefined && max_completion_tokens !== undefined)
    return "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
  if (!/^(gpt-[5-9]|o\d)/.test(request.model))
    return reasoning_effort === undefined ? undefined : "Unrecognized request argument supplied: reasoning_effort";
  if (max_tokens !== undefined)
    return "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
  if (temperature !== undefined && temperature !== 1)
    return "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.";
  return undefined;
}

async function read(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function reply(res: ServerResponse, request: ChatRequest, before: number, answer: FakeAnswer): void {
  if (answer === "never") return;
  if (answer === "stall") {
    res.writeHead(200, { "content-type": "application/json" }).write("{");
    return;
  }
  if (answer === "hang-up") {
    res.destroy();
    return;
  }
  if ("status" in answer) {
    fail(res, answer.status, answer.headers ?? {}, answer.message ?? "as told", answer.type);
    return;
  }
  if ("body" in answer) {
    res.writeHead(200, { "content-type": answer.contentType ?? "application/json" }).end(answer.body);
    return;
  }
  const refusal = "refusal" in answer ? answer.refusal : null;
  const content = "content" in answer ? answer.content : null;
  const usage = "usage" in answer && answer.usage !== undefined ? answer.usage : { input: 1000, output: 100 };
  const cost = "costUsd" in answer ? { "x-litellm-response-cost": String(answer.costUsd) } : {};
  res.writeHead(200, { "content-type": "application/json", ...cost }).end(
    JSON.stringify({
      id: `chatcmpl-${before}`,
      object: "chat.completion",
      created: 0,
      model: request.model,
      choices: [
        {
          index: 0,
          finish_reason: ("finishReason" in answer && answer.finishReason) || "stop",
          message: {
            role: "assistant",
            content: content === null || typeof content === "string" ? content : JSON.stringify(content),
            refusal,
          },
        },
      ],
      ...(usage ? { usage: reportOf(usage) } : {}),
    }),
  );
}

function reportOf({ input, output, cached = 0, cacheWrite = 0, reasoning = 0 }: FakeUsage): unknown {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWrite },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

function fail(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  message: string,
  type = "fake",
): void {
  res
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(JSON.stringify({ error: { message, type, code: null, param: null } }));
}
