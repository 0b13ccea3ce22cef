import { expect, test } from "vitest";
import { createAgents, deleteAgents, subscribers } from "../agents.ts";
import { TENANT } from "../namespaces.ts";
import { agent } from "../tenant.ts";

test("Agents that come and go together: each is subscribed, and none stays in the channel", async () => {
  const before = await subscribers();
  expect(before.inChannel).toEqual(before.subscriptions);
  const agents = Array.from({ length: 6 }, (_, index) =>
    agent(`together-${index}`, { uri: "http://inbox.agentic-system.svc.cluster.local/" }),
  );
  await createAgents(...agents);
  const with6 = await subscribers();
  expect(with6.subscriptions).toHaveLength(before.subscriptions.length + agents.length);
  expect(with6.inChannel).toEqual(with6.subscriptions);
  await deleteAgents(TENANT);
  expect(await subscribers()).toEqual(before);
});
