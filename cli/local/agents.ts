import type { Hono } from "hono";
import { Agent, request } from "undici";
import type { Reply } from "./reply.ts";

/** A step's request as HTTP carries it: a CloudEvent in binary mode. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An agent as this run reaches it. */
export interface ReachedAgent {
  /** For messages: its name, and its address where it has one. */
  readonly title: string;
  /** Whether it runs in a process of its own, so that nothing is known of it but what it answers. */
  readonly isRemote: boolean;
  /** @throws AgentUnreachable, AnswerTooLarge, or the signal's reason */
  send(delivery: Delivery, signal: AbortSignal): Promise<Reply>;
}

/** The agent could not be reached, or the connection broke. */
export class AgentUnreachable extends Error {
  override readonly name = "AgentUnreachable";
}

export class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge";
}

/** Bytes of an answer: a list of 500 items of 4,096 characters, data, and what JSON adds. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** One of our own agents, in this process. */
export function inProcessAgent(name: string, app: Hono): ReachedAgent {
  return {
    title: `agent ${name}`,
    isRemote: false,
    async send({ headers, body }) {
      const response = await app.request("/", { method: "POST", headers, body });
      return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
    },
  };
}

/** An agent at an address. Redirects are not followed: the request carries a token. */
export function remoteAgent(name: string, url: string): ReachedAgent {
  // The step's deadline bounds the request. Limits of the HTTP client's own would end a long step before.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 5000 } });
  return {
    title: `agent ${name} at ${url}`,
    isRemote: true,
    async send({ headers, body }, signal) {
      try {
        const answer = await request(url, { method: "POST", headers, body, signal, dispatcher });
        return { status: answer.statusCode, headers: flat(answer.headers), body: await limited(answer.body) };
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (cause instanceof AnswerTooLarge) throw cause;
        throw new AgentUnreachable(reasonOf(cause), { cause });
      }
    },
  };
}

async function limited(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    // Leaving the loop destroys the body, and its connection with it.
    if (length > MAX_ANSWER_BYTES) throw new AnswerTooLarge(`more than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, [value].flat().join(", ")]],
    ),
  );
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Node tries several addresses of a name, and then says nothing itself.
  const inner = cause instanceof AggregateError ? (cause.errors[0] as Error | undefined) : undefined;
  return (inner ?? cause).message || cause.name;
}
