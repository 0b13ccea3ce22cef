/**
 * What a cluster's tests need beside the product, in one image: ROLE says which part this process is. Without one it is an agent: a
 * workload's `image` comes without settings.
 */
const { ROLE = "agent", PORT = "8080" } = process.env;
const port = Number(PORT);

// Whoever is the first process of a container is not ended by a signal that it does not handle. An agent drains.
if (ROLE !== "agent") for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));

switch (ROLE) {
  case "sites":
    await (await import("./sites.ts")).serveSites(port);
    break;
  case "openai":
    await (await import("./openai.ts")).serveOpenAi(port, Number(process.env["DELAY_MS"] ?? 0));
    break;
  case "inbox":
    (await import("./inbox.ts")).serveInbox(port);
    break;
  case "chat":
    (await import("./chat.ts")).serveChat(port);
    break;
  case "nonsense":
    (await import("./nonsense.ts")).serveNonsense(port);
    break;
  case "agent":
    await (await import("./agent.ts")).serveTestAgent(process.env);
    break;
  default:
    console.error(`ROLE is ${ROLE}: expected sites, openai, inbox, chat, nonsense or agent`);
    process.exit(1);
}
console.log(JSON.stringify({ role: ROLE, port, msg: "listening" }));
