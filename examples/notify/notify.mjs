import { createServer } from "node:http";

// Takes dev.agentic.review.requested and dev.agentic.run.completed from a Trigger, and posts them to a chat's incoming webhook, as Slack,
// Mattermost, Rocket.Chat and Teams take it: {"text": "…"}. CHAT_URL: the webhook, which is a secret; PORT: where to listen (8080).

const { CHAT_URL, PORT = "8080" } = process.env;
if (!CHAT_URL) throw new Error("CHAT_URL is not set: it is the chat's incoming webhook");

/** By type; undefined: not worth a message. */
const MESSAGES = {
  /** A page's text ends up in no message: the workload's name, the gate and the link are all that is said. */
  "dev.agentic.review.requested": ({ workload, gate, timeoutAt, url }) =>
    `${workload.namespace}/${workload.name} waits at the gate ${gate} until ${timeoutAt}. Review it: ${url}`,
  /** A digest as the agent report leaves it: nothing is said where nothing material changed. */
  "dev.agentic.run.completed": ({ workload, phase, reason, data }) => {
    const name = `${workload.namespace}/${workload.name}`;
    if (phase === "Failed") return `${name} failed: ${plain(reason)}`;
    if (!(data?.material > 0)) return undefined;
    const changes = data.changes.slice(0, 10).map((change) => `- ${plain(change)}`);
    const left = data.material - changes.length;
    return [`${name}: ${data.material} material changes`, ...changes, ...(left > 0 ? [`and ${left} more`] : [])].join(
      "\n",
    );
  },
};

/** Pages are quoted in it: no link, no mention, no markup of the chat's comes from them. */
function plain(text) {
  return String(text)
    .slice(0, 300)
    .replace(/[\s\p{Cc}]+/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[[\]*_`~|]/g, " ")
    .replaceAll("@", "(at)")
    .replaceAll("://", ": //");
}

function messageOf(type, event) {
  const message = Object.hasOwn(MESSAGES, type) ? MESSAGES[type] : undefined;
  if (!message) throw new Error(`nothing is said of ${type}`);
  return message(event);
}

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 65_536) throw new Error("the event is too large");
  }
  return JSON.parse(text);
}

/** 4xx: the Broker gives up on the event; 5xx: it delivers it again. */
const server = createServer(async (request, response) => {
  const answer = (status) => response.writeHead(status).end();
  if (request.method !== "POST") return answer(request.url === "/health/readiness" ? 200 : 404);
  let text;
  try {
    text = messageOf(request.headers["ce-type"], await bodyOf(request));
  } catch (error) {
    console.error(`no event to tell: ${error.message}`);
    return answer(400);
  }
  if (text === undefined) return answer(200);
  try {
    const posted = await fetch(CHAT_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(10_000),
    });
    await posted.arrayBuffer();
    if (posted.ok) return answer(200);
    console.error(`the chat answers ${posted.status}`);
  } catch (error) {
    console.error(`the chat does not answer: ${error.message}`);
  }
  answer(503);
});
server.listen(Number(PORT), () => console.log(`listening on ${server.address().port}`));
process.once("SIGTERM", () => server.close());
