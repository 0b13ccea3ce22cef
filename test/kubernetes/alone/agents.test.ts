import { expect, test } from "vitest";
import { createAgents, deleteAgents, subscribers } from "../agents.ts";
import { until } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { agent } from "../tenant.ts";

/** Until the channel delivers to the Subscriptions that there are, and to nobody else: one that is lost, or stays, never lets it come. */
const untilExact = () =>
  until(
    "the channel to deliver to exactly the Subscriptions",
    async () => {
      const seen = await subscribers();
      return seen.inChannel.join() === seen.subscriptions.join() ? seen : undefined;
    },
    { ms: 60_000, seen: subscribers },
  );

test("Agents that come and go together: each is subscribed, and none stays in the channel", async () => {
  // Those of other tests.
  await deleteAgents(TENANT);
  const before = await untilExact();
  const agents = Array.from({ length: 6 }, (_, index) =>
    agent(`together-${index}`, { uri: `http://nobody.${TENANT}.svc.cluster.local/` }),
  );
  await createAgents(...agents);
  const between = await untilExact();
  expect(between.subscriptions).toHaveLength(before.subscriptions.length + agents.length);
  await deleteAgents(TENANT);
  expect(await untilExact()).toEqual(before);
});
