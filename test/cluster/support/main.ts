/** What a cluster's tests need beside the product, in one image: ROLE says which part this process is. */
const { ROLE, PORT = "8080" } = process.env;
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
  case "agent":
    await (await import("./agent.ts")).serveWaiting(process.env);
    break;
  default:
    console.error(`ROLE is ${ROLE ?? "not set"}: one of sites, openai, inbox, agent`);
    process.exit(1);
}
console.log(JSON.stringify({ role: ROLE, port, msg: "listening" }));
