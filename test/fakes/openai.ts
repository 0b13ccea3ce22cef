import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the fake answers to one request. `content` is the assistant's text; anything but a string is sent as JSON. */
export type FakeAnswer =
  | {
      readonly content: unknown;
      readonly usage?: { readonly input: number; readonly output: number };
      /** Sent as x-litellm-response-cost. */
      readonly costUsd?: number;
      readonly finishReason?: "stop" | "length" | "content_filter";
    }
  | { readonly refusal: string }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly message?: string }
  /** A body that is no completion at all. */
  | { readonly body: string; readonly contentType?: string }
  | "never"
  | "hang-up";

/** A request as it came over the wire. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string | readonly ContentPart[] }[];
  readonly max_tokens?: number;
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
  /** With /v1. */
  readonly baseUrl: string;
  readonly requests: readonly ChatRequest[];
  readonly authorizations: readonly (string | undefined)[];
  /** Answers from now on; the function is told how many requests came before. */
  answer(next: FakeAnswer | ((request: ChatRequest, before: number) => FakeAnswer | Promise<FakeAnswer>)): void;
  /** Forgets requests, and answers `{}` again. */
  reset(): void;
  close(): Promise<void>;
}

/** A provider that speaks OpenAI's chat completions over loopback, and writes down what it is asked. */
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

/** All that a request says in words, as a model would read it. */
export function saidIn(request: ChatRequest): string {
  return request.messages
    .flatMap(({ content }) => (typeof content === "string" ? [content] : content.map(({ text }) => text ?? "")))
    .join("\n");
}

async function read(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function reply(res: ServerResponse, request: ChatRequest, before: number, answer: FakeAnswer): void {
  if (answer === "never") return;
  if (answer === "hang-up") {
    res.destroy();
    return;
  }
  if ("status" in answer) {
    fail(res, answer.status, answer.headers ?? {}, answer.message ?? "as told");
    return;
  }
  if ("body" in answer) {
    res.writeHead(200, { "content-type": answer.contentType ?? "application/json" }).end(answer.body);
    return;
  }
  const refusal = "refusal" in answer ? answer.refusal : null;
  const content = "content" in answer ? answer.content : null;
  const usage = ("usage" in answer && answer.usage) || { input: 1000, output: 100 };
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
      usage: {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input + usage.output,
      },
    }),
  );
}

function fail(res: ServerResponse, status: number, headers: Readonly<Record<string, string>>, message: string): void {
  res
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(JSON.stringify({ error: { message, type: "fake", code: null, param: null } }));
}
