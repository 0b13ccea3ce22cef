import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apply, kubectl, list, until } from "../cluster.ts";
import { NAMESPACE } from "../namespaces.ts";
import { asking, condition, deleteWorkloads, SYSTEM, untilReason, workload } from "../workload.ts";
import { available } from "./deployments.ts";

// The webhook is away: nobody is locked out, and nothing that it would have refused runs.

const scale = (replicas: number) => kubectl(["-n", SYSTEM, "scale", "deployment", "admit", `--replicas=${replicas}`]);
const pods = () => list("pods", SYSTEM, "app.kubernetes.io/name=admit");

beforeAll(async () => {
  await scale(0);
  await until("admit to be gone", async () => (await pods()).length === 0);
});
afterAll(async () => {
  await scale(1);
  await available(SYSTEM, "admit");
  await deleteWorkloads();
});

describe.concurrent("an object that nobody judged", () => {
  test("whose inputs break the pipeline's schema says so in its status, field by field", async () => {
    await apply(asking("inputs", { sites: ["ftp://x.example/"], objective: "" }));
    const { message } = await untilReason("inputs", "InvalidSpec");
    expect(message).toMatch(/spec\.inputs\.objective/);
    expect(message).toMatch(/spec\.inputs\.sites\[0\]/);
    const object = await workload(NAMESPACE, "inputs");
    expect(object && condition(object, "Accepted")).toMatchObject({ status: "False", reason: "InvalidSpec" });
  });

  test("that points into the cluster says so in its status", async () => {
    await apply(asking("inner", { sites: ["http://10.0.0.7/"] }));
    expect((await untilReason("inner", "InvalidSpec")).message).toMatch(/10\.0\.0\.7 is a private address/);
  });
});
