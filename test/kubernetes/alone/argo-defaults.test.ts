import { afterEach, describe, expect, test } from "vitest";
import { apply, kubectl, list } from "../cluster.ts";
import { NAMESPACE } from "../namespaces.ts";
import { asking, deleteWorkloads, THREE_SITES, untilPhase } from "../workload.ts";
import { available } from "./deployments.ts";

afterEach(deleteWorkloads);

describe("Argo's own defaults", () => {
  const settings = ["INFORMER_WRITE_BACK", "DEFAULT_REQUEUE_TIME"];
  const set = (values: readonly string[]) =>
    kubectl([
      "-n",
      "argo",
      "set",
      "env",
      "deployment/workflow-controller",
      ...settings.map((name, at) => `${name}=${values[at]}`),
    ]);

  test("a run is right without the settings that make it quick", async () => {
    const deployment = (await list("deployments", "argo")).find(
      ({ metadata }) => metadata.name === "workflow-controller",
    );
    const env: { name: string; value: string }[] = deployment?.spec.template.spec.containers[0].env;
    const before = settings.map((name) => env.find((one) => one.name === name)?.value ?? "");
    expect(before).toEqual(["true", "20ms"]);
    await set(["false", "10s"]);
    try {
      await available("argo", "workflow-controller");
      await apply(asking("slow", { sites: THREE_SITES.slice(0, 1) }));
      const waiting = await untilPhase(NAMESPACE, "slow", "AwaitingReview");
      expect(waiting.status.items).toMatchObject({ done: 1, failed: 0 });
    } finally {
      await set(before);
      await available("argo", "workflow-controller");
    }
  });
});
