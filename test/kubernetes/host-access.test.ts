import { afterAll, expect, test } from "vitest";
import { apply, kubectl, list } from "./cluster.ts";
import { NAMESPACE, OTHER } from "./namespaces.ts";
import { condition, untilPhase, workflowOf } from "./workload.ts";

const NAME = "known";
const VALUE = "s3cr3t-of-the-first-namespace";
const PAGE = "http://www.rosterly.example/";
const BOTH = [NAMESPACE, OTHER];

afterAll(async () => {
  for (const namespace of BOTH)
    for (const what of [`agentworkload/${NAME}`, `agentpipeline/${NAME}`, "secret/agentic-host-access"])
      await kubectl(["-n", namespace, "delete", what, "--ignore-not-found", "--timeout=120s"]);
});

test("what one namespace holds for a host is shown for its own workload, and not for another's at the same page", async () => {
  const held = { headers: { "X-Known": VALUE } };
  await apply(
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: NAMESPACE, name: "agentic-host-access" },
      stringData: { "www.rosterly.example": JSON.stringify(held) },
    },
    ...BOTH.flatMap((namespace) => [pipeline(namespace), workload(namespace)]),
  );
  const [own, others] = await Promise.all(BOTH.map((namespace) => untilPhase(namespace, NAME, "Succeeded")));
  const said = [own, others].map((object) => object && condition(object, "Completed").message);
  expect(said).toEqual([
    expect.stringMatching(new RegExp(`^200 Known by ${VALUE.length} characters: `)),
    expect.not.stringContaining("Known"),
  ]);
  const events = await list("events", NAMESPACE);
  const written = JSON.stringify([own, await workflowOf(NAMESPACE, NAME), events]);
  expect(written).toContain("Known by");
  for (const secret of [VALUE, Buffer.from(VALUE).toString("base64")]) expect(written).not.toContain(secret);
});

const pipeline = (namespace: string) => ({
  apiVersion: "agentic.dev/v1alpha1",
  kind: "AgentPipeline",
  metadata: { namespace, name: NAME },
  spec: {
    inputs: { schema: { type: "object", properties: { pages: { type: "array", items: { type: "string" } } } } },
    steps: [{ name: "visit", agent: "scrape", forEach: "inputs.pages", egress: { item: true }, hostAccess: true }],
  },
});

const workload = (namespace: string) => ({
  apiVersion: "agentic.dev/v1alpha1",
  kind: "AgentWorkload",
  metadata: { namespace, name: NAME },
  spec: { pipeline: NAME, inputs: { pages: [PAGE] } },
});
