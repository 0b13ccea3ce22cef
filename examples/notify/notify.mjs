import { createServer } from "node:http";

// Takes dev.agentic.review.requested from a Trigger, and posts it to a chat's incoming webhook, as Slack, Mattermost, Rocket.Chat and Teams
// take it: {"text": "…"}. CHAT_URL: the webhook, which is a secret; PORT: where to listen (8080).

const { CHAT_URL, PORT = "8080" } = process.env;
if (!CHAT_URL) throw new Error("CHAT_URL is not set: it is the chat's incoming webhook");

/** A page's text ends up in no message: the workload's name, the gate and the link are all that is said. */
function messageOf({ workload, gate, timeoutAt, url }) {
  return `${workload.namespace}/${workload.name} waits at the gate ${gate} until ${timeoutAt}. Review it: ${url}`;
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
    text = messageOf(await bodyOf(request));
  } catch (error) {
    console.error(`not a review's request: ${error.message}`);
    return answer(400);
  }
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
