import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChatRequest, saidIn, startFakeOpenAi } from "../../fakes/openai.ts";
import { answerTo, objectiveOf, siteOf } from "./answers.ts";

/** A line of the log, and an entry of GET /log. */
interface Asked {
  readonly at: string;
  /** Of the answer's schema: `analyze` or `report-narrative`. */
  readonly purpose: string;
  /** The page that is analyzed; none for a report. */
  readonly site: string | undefined;
  /** Whose run it is asked for; none for a report. */
  readonly objective: string | undefined;
  readonly model: string;
}

/** What a call is billed by, an entry of GET /bill: of answers that went out. */
interface Billed extends Pick<Asked, "objective" | "model"> {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

/** The fake provider, for the pod network: POST /v1/chat/completions, GET /log, GET /bill. `delayMs` before each answer. */
export async function serveOpenAi(port: number, delayMs: number): Promise<void> {
  const log: Asked[] = [];
  const bill: Billed[] = [];
  const fake = await startFakeOpenAi();
  fake.answer(async (request) => {
    const said = saidIn(request);
    const asked = {
      at: new Date().toISOString(),
      purpose: request.response_format?.json_schema.name ?? "chat",
      site: siteOf(said),
      objective: objectiveOf(said),
      model: request.model,
    };
    log.push(asked);
    console.log(JSON.stringify(asked));
    await sleep(delayMs);
    return answerTo(asked.purpose, said);
  });
  const server = createServer((req, res) => {
    if (req.url !== "/log" && req.url !== "/bill") {
      pass(fake.baseUrl, req, res)
        .then((billed) => bill.push(...billed))
        .catch((error: unknown) => res.writeHead(502).end(String(error)));
      return;
    }
    res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(req.url === "/log" ? log : bill));
  });
  server.listen(port, "0.0.0.0");
}

async function pass(baseUrl: string, req: IncomingMessage, res: ServerResponse): Promise<Billed[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const answer = await fetch(new URL(req.url ?? "/", baseUrl), {
    method: req.method ?? "GET",
    headers: { authorization: req.headers.authorization ?? "" },
    ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  res.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "application/json" }).end(body);
  const { usage } = answer.ok ? JSON.parse(body.toString()) : {};
  if (!usage) return [];
  const request = JSON.parse(Buffer.concat(chunks).toString()) as ChatRequest;
  return [
    {
      objective: objectiveOf(saidIn(request)),
      model: request.model,
      input: usage.prompt_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
      output: usage.completion_tokens,
    },
  ];
}
