import { kubectl } from "../../test/kubernetes/cluster.ts";
import { functionPods, SYSTEM } from "../../test/kubernetes/workload.ts";

const STEPS = ["scrape", "analyze", "report"];
const CONTROL = ["reconcile", "approve"];

interface Service {
  readonly metadata: { readonly name: string; resourceVersion?: string };
  readonly spec: {
    readonly template: {
      readonly metadata: { annotations: Record<string, string>; name?: string };
      readonly spec: { containerConcurrency: number; readonly containers: Record<string, unknown>[] };
    };
  };
}

async function services(): Promise<Service[]> {
  return JSON.parse(await kubectl(["-n", SYSTEM, "get", "ksvc", "-o", "json"])).items;
}

async function replace(service: Service): Promise<void> {
  delete service.metadata.resourceVersion;
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], bare(service));
}

/** What was wanted, without what the API server added. */
function bare({ metadata, spec }: Service): string {
  const { name } = metadata;
  return JSON.stringify({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace: SYSTEM },
    spec: { template: spec.template },
  });
}

/** Steps of one second that do nothing else, in place of the agents; `minScale` 1 keeps every function up. */
export async function useAgents(support: string, minScale: 0 | 1): Promise<void> {
  for (const service of await services()) {
    const { name } = service.metadata;
    const { template } = service.spec;
    template.metadata.annotations = {
      ...template.metadata.annotations,
      "autoscaling.knative.dev/min-scale": String(minScale),
    };
    const [container] = template.spec.containers;
    if (STEPS.includes(name) && container) {
      const env = (container["env"] as { name: string }[]).filter(
        ({ name: key }) => !["ROLE", "STEP", "STEP_MS"].includes(key),
      );
      container["image"] = support;
      container["env"] = [
        ...env,
        { name: "ROLE", value: "agent" },
        { name: "STEP", value: name },
        { name: "STEP_MS", value: "1000" },
      ];
      template.spec.containerConcurrency = 0;
    }
    await replace(service);
  }
  await kubectl(["-n", SYSTEM, "wait", "ksvc", ...STEPS, ...CONTROL, "--for=condition=Ready", "--timeout=120s"]);
}

export async function untilZero(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if ((await functionPods()).size === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error("the functions did not scale to zero");
}
