import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AGENT_LABEL } from "../../functions/reconcile/agent/render.ts";
import { internetIP, linkLocalIP } from "../cluster/context.ts";
import { createAgents } from "./agents.ts";
import { apply, get, type KubeObject, kubectl, list, until } from "./cluster.ts";
import { askFunction } from "./functions.ts";
import { KEDA, NAMESPACE, OTHER, TENANT } from "./namespaces.ts";
import { agent, supportImage } from "./tenant.ts";
import { SYSTEM } from "./workload.ts";

// Who gets through NetworkPolicies, tried from pods by connecting. The engine that enforces them is the cluster's: one without any fails
// here. What gets through somewhere is a destination that listens, so that what does not is not simply off.

/** A packet that a policy drops is sent again after one second, and after three. */
const PATIENCE_MS = 3500;
/** How long what is open may take: a busy machine is many times slower than an idle one. */
const LONGEST_MS = 60_000;

/** Connects everywhere at once, and prints where it got by the time that it has got everywhere it should. */
const TRY = `
const [all, open, least, most] = JSON.parse(process.argv[1]);
// A pod's way to itself leads past every wall.
const own = Object.values(require("node:os").networkInterfaces()).flat().map(({ address }) => address);
const tried = all.filter(([, host]) => !own.includes(host));
const reached = new Set();
for (const [name, host, port] of tried)
  require("node:net").connect({ host, port })
    .on("connect", () => reached.add(name))
    .on("error", ({ code }) => code === "ECONNREFUSED" && reached.add(name));
const begun = Date.now();
setInterval(() => {
  const ms = Date.now() - begun;
  if (ms < least || (ms < most && !open.every((name) => reached.has(name)))) return;
  console.log(JSON.stringify({ tried: tried.length, reached: [...reached] }));
  process.exit(0);
}, 50);`;

interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
}
type Destination = readonly [name: string, host: string, port: number];

const OUTSIDE: readonly Destination[] = [
  ["the internet", internetIP, 6443],
  ["link-local", linkLocalIP, 10250],
];

let destinations: readonly Destination[];
const counts = { tried: 0, open: 0, through: 0 };

/** @returns which destinations were reached, in the order of the alphabet */
async function reachedFrom({ namespace, pod, container }: Place, open: readonly string[]): Promise<string[]> {
  const input = JSON.stringify([destinations, open, PATIENCE_MS, LONGEST_MS]);
  const command = ["exec", pod, ...(container ? ["-c", container] : []), "--", "node", "-e", TRY, input];
  const { tried, reached }: { tried: number; reached: string[] } = JSON.parse(
    await kubectl(["-n", namespace, ...command]),
  );
  counts.tried += tried;
  counts.open += open.length;
  counts.through += reached.filter((name) => !open.includes(name)).length;
  return reached.toSorted();
}

const isReady = ({ metadata, status }: KubeObject): boolean =>
  metadata.deletionTimestamp === undefined &&
  status.conditions?.some(
    ({ type, status: is }: { type: string; status: string }) => type === "Ready" && is === "True",
  );

async function podOf(namespace: string, selector: string): Promise<KubeObject> {
  return until(`a pod ${selector}`, async () => (await list("pods", namespace, selector)).find(isReady));
}
const ipOf = async (namespace: string, selector: string): Promise<string> =>
  (await podOf(namespace, selector)).status.podIP;

const restricted = {
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
};

/** A pod that listens on 8080. `ready: false`: it stays out of Services that select its labels. */
async function pod(namespace: string, name: string, labels: object, ready = true): Promise<object> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels: { ...labels, "walls.test": name } },
    spec: {
      ...restricted,
      containers: [
        {
          name: "main",
          image: await supportImage(),
          env: [{ name: "ROLE", value: "inbox" }],
          readinessProbe: { tcpSocket: { port: ready ? 8080 : 1 }, periodSeconds: 1 },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    },
  };
}

/** What is up only while it is asked. */
const FUNCTIONS = [
  [SYSTEM, "reconcile"],
  [SYSTEM, "approve"],
  [SYSTEM, "runs"],
  [TENANT, "walled"],
  [OTHER, "walled"],
] as const;

function askFunctions(): void {
  for (const [namespace, name] of FUNCTIONS)
    void askFunction(name, "/health/readiness", { namespace }).catch(() => undefined);
}

const STRANGER = "walls-stranger";
/** Pods in which there is no Node have a twin here: policies go by namespace and labels. */
const TWINS = {
  redis: { "app.kubernetes.io/name": "redis" },
  store: { "app.kubernetes.io/name": "store" },
  litellm: { "app.kubernetes.io/name": "litellm" },
  source: { "eventing.knative.dev/source": "apiserver-source-controller" },
};
const KEDA_LABELS = { app: "keda-operator" };

let pods: [namespace: string, name: string][];
let asking: NodeJS.Timeout;

beforeAll(async () => {
  const made = await Promise.all([
    // With the label of somebody who is let in from another namespace.
    pod(NAMESPACE, STRANGER, KEDA_LABELS),
    pod(NAMESPACE, "walls-labelled", { [AGENT_LABEL]: "stolen" }),
    pod("knative-serving", "walls-knative", {}),
    pod(KEDA, "walls-keda", KEDA_LABELS, false),
    ...Object.entries(TWINS).map(([name, labels]) => pod(SYSTEM, `walls-${name}`, labels, false)),
  ]);
  pods = made.map((one) => [(one as KubeObject).metadata.namespace as string, (one as KubeObject).metadata.name]);
  const image = await supportImage();
  await createAgents(
    ...[TENANT, OTHER].map((namespace) => ({
      ...agent("walled", { image }),
      metadata: { namespace, name: "walled" },
    })),
  );
  await apply(...made);
  askFunctions();
  asking = setInterval(askFunctions, 5000);
  const part = (name: string) => ipOf(SYSTEM, `app.kubernetes.io/name=${name}`);
  const functionOf = (name: string) => ipOf(SYSTEM, `serving.knative.dev/service=${name}`);
  const service = async (namespace: string, name: string): Promise<string> =>
    (await get("services", namespace, name))?.spec.clusterIP;
  const stranger = await podOf(NAMESPACE, `walls.test=${STRANGER}`);
  destinations = [
    ["redis", await part("redis"), 6379],
    ["store", await part("store"), 7070],
    ["the store's accounts", await part("store"), 7071],
    ["litellm", await part("litellm"), 4000],
    ["browserless", await part("browserless"), 3000],
    ["egress", await part("egress"), 3128],
    ["admit", await part("admit"), 8443],
    ["artifacts", await part("artifacts"), 8080],
    ["reconcile", await functionOf("reconcile"), 8012],
    ["reconcile, past Knative", await functionOf("reconcile"), 8080],
    ["approve", await functionOf("approve"), 8012],
    ["runs", await functionOf("runs"), 8012],
    ["runs, past Knative", await functionOf("runs"), 8080],
    ["an agent", await ipOf(OTHER, `${AGENT_LABEL}=walled`), 8012],
    ["an agent, past Knative", await ipOf(OTHER, `${AGENT_LABEL}=walled`), 8080],
    ["any pod", stranger.status.podIP, 8080],
    ["the gateway", await service("kourier-system", "kourier-internal"), 80],
    ["the Broker", await service("knative-eventing", "broker-ingress"), 80],
    ["names", await service("kube-system", "kube-dns"), 53],
    ["the API server", await service("default", "kubernetes"), 443],
    ["a kubelet", stranger.status.hostIP, 10250],
    // Addresses of the test cluster's node that look like what they are named; nobody else's cluster has them.
    ...(process.env["KUBECONFIG"] ? [] : OUTSIDE),
  ];
});
afterAll(async () => {
  clearInterval(asking);
  for (const [namespace, name] of pods)
    await kubectl(["-n", namespace, "delete", "pod", name, "--grace-period=1", "--wait=false"]);
  const { tried, open, through } = counts;
  console.log(`walls: ${tried} connections tried, ${open} of them open; ${through} of the others got through`);
});

/** What nobody guards here: open to pods that no policy selects. */
const UNWALLED = [
  ...["admit", "artifacts", "the gateway", "the Broker", "names"],
  ...["the API server", "a kubelet", "the internet", "link-local"],
];
const PARTS = ["redis", "store", "litellm", "browserless", "egress"];

const twin =
  (name: keyof typeof TWINS | "keda", namespace = SYSTEM) =>
  async () => {
    const there = { namespace, pod: `walls-${name}` };
    await until(
      `${there.pod} to run`,
      async () => (await get("pods", namespace, there.pod))?.status?.phase === "Running",
    );
    return there;
  };
const ofDeployment = (name: string) => async () => ({ namespace: SYSTEM, pod: `deployment/${name}` });
const ofFunction = (namespace: string, selector: string) => async () => ({
  namespace,
  pod: (await podOf(namespace, selector)).metadata.name,
  container: "user-container",
});

describe.concurrent("what is reached", () => {
  test.each<[string, () => Promise<Place>, readonly string[]]>([
    ["a stranger", async () => ({ namespace: NAMESPACE, pod: STRANGER }), UNWALLED],
    // Whoever may make pods may label them: what is behind this wall has a password.
    [
      "a stranger with an agent's label",
      async () => ({ namespace: NAMESPACE, pod: "walls-labelled" }),
      [...UNWALLED, "any pod", ...PARTS],
    ],
    [
      "Knative",
      async () => ({ namespace: "knative-serving", pod: "walls-knative" }),
      [...UNWALLED, "any pod", "reconcile", "approve", "runs", "an agent"],
    ],
    ["KEDA", twin("keda", KEDA), [...UNWALLED, "any pod", "browserless"]],
    ["a tenant's agent", ofFunction(TENANT, `${AGENT_LABEL}=walled`), ["names", ...PARTS]],
    ["the browsers", ofDeployment("browserless"), ["names", "egress"]],
    ["the egress proxy", ofDeployment("egress"), ["names", "the internet"]],
    ["admit", ofDeployment("admit"), ["names", "the API server"]],
    ["artifacts", ofDeployment("artifacts"), ["names", "the API server", "store"]],
    [
      "reconcile",
      ofFunction(SYSTEM, "serving.knative.dev/service=reconcile"),
      ["names", "the API server", "the Broker", "redis", "store", "the store's accounts"],
    ],
    ["approve", ofFunction(SYSTEM, "serving.knative.dev/service=approve"), ["names", "the API server", "store"]],
    ["runs", ofFunction(SYSTEM, "serving.knative.dev/service=runs"), ["names", "the API server"]],
    ["an ApiServerSource", twin("source"), ["names", "the API server", "the Broker"]],
    // Its providers are on port 443.
    ["LiteLLM", twin("litellm"), ["names"]],
    ["Redis", twin("redis"), []],
    ["the object store", twin("store"), []],
  ])("from %s", async (_, from, expected) => {
    const open = expected.filter((name) => destinations.some(([there]) => there === name)).toSorted();
    expect(await reachedFrom(await from(), open)).toEqual(open);
  });
});
