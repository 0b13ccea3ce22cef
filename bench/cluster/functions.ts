import { kubectl, list, until } from "../../test/kubernetes/cluster.ts";
import { SYSTEM } from "../../test/kubernetes/workload.ts";

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
    if (!container) throw new Error(`${name} has no container`);
    // As it is installed; tests have it at debug.
    setEnv(container, { LOG_LEVEL: "info" });
    if (STEPS.includes(name)) {
      container["image"] = support;
      setEnv(container, { ROLE: "agent", STEP: name, STEP_MS: "1000" });
      template.spec.containerConcurrency = 0;
    }
    await replace(service);
  }
  await kubectl(["-n", SYSTEM, "wait", "ksvc", ...STEPS, ...CONTROL, "--for=condition=Ready", "--timeout=120s"]);
}

function setEnv(container: Record<string, unknown>, values: Readonly<Record<string, string>>): void {
  const others = (container["env"] as { name: string }[]).filter(({ name }) => !(name in values));
  container["env"] = [...others, ...Object.entries(values).map(([name, value]) => ({ name, value }))];
}

/** Until no pod of a function is there, nor one that is still ending: that takes half a minute of the kubelet's time. */
export async function untilZero(): Promise<void> {
  const none = async () => (await list("pods", SYSTEM, "serving.knative.dev/service")).length === 0;
  await until("the functions to be at zero", none, { ms: 300_000, every: 1000 });
}
