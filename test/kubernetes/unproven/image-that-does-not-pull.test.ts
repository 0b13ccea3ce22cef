import { expect, test } from "vitest";
import { deleteAgent, untilReady } from "../agents.ts";
import { apply, get, until } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { agent, NO_IMAGE, supportImage } from "../tenant.ts";
import { condition } from "../workload.ts";

test("an image that does not pull: its Agent says so, and is ready when it has another", async () => {
  const name = "no-image";
  await apply(agent(name, { image: NO_IMAGE }));
  const said = await until(
    "the Agent to say so",
    async () => {
      const object = await get("agents", TENANT, name);
      const ready = object && condition(object, "Ready");
      return ready?.reason === "ImageNotReady" && /fetch image/.test(ready.message) ? ready : undefined;
    },
    { ms: 240_000, seen: async () => (await get("agents", TENANT, name))?.status },
  );
  expect(said.message).toMatch(/localhost:1\/none/);
  await apply(agent(name, { image: await supportImage() }));
  await untilReady({ namespace: TENANT, name });
  await deleteAgent(TENANT, name);
});
