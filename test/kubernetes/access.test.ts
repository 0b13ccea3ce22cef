import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuthorizationV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { people, writeKubeconfig } from "./accounts.ts";
import { createAgents, deleteAgent } from "./agents.ts";
import { apply } from "./cluster.ts";
import { OTHER, TENANT } from "./namespaces.ts";
import { askRedis } from "./redis.ts";
import { testAgent } from "./tenant.ts";
import { SYSTEM } from "./workload.ts";

// Who may do what, as the API server and Redis say it, beside the table that is committed (access.txt). A right that is new stands in the
// diff of this file: `vitest run --project kubernetes test/kubernetes/access.test.ts -u` writes it anew.

/** Rights in a tenant's namespace, as an administrator binds them. */
const PEOPLE: Readonly<Record<string, readonly string[]>> = {
  "access-editor": ["edit"],
  "access-approver": ["agentic-approver"],
  "access-viewer": ["view"],
  "access-nobody": [],
};
const NOBODY = "access-nobody";
const AGENT = "accessed";

const ACCOUNTS = [
  ...[
    "reconcile",
    "approve",
    "runs",
    "watch",
    "admit",
    "artifacts",
    "agent-scrape",
    "agent-analyze",
    "agent-report",
    "default",
  ].map((name) => ({ namespace: SYSTEM, name })),
  { namespace: "agentic-node", name: "default" },
  ...[`agent-${AGENT}`, ...Object.keys(PEOPLE)].map((name) => ({ namespace: TENANT, name })),
];
/** The system's, one that they are bound in, and another tenant's. */
const ASKED = [SYSTEM, TENANT, OTHER];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-access-"));
  await createAgents(await testAgent(AGENT));
  await apply(...people(TENANT, PEOPLE));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await deleteAgent(TENANT, AGENT);
});

/** By resource, of those kinds that are ours or could be turned against us: not all that `edit` gives by Kubernetes itself. */
async function rightsOf(kubeconfig: string, namespace: string, isPerson: boolean): Promise<Map<string, Set<string>>> {
  const own = new KubeConfig();
  own.loadFromFile(kubeconfig);
  const answer = await own
    .makeApiClient(AuthorizationV1Api)
    .createSelfSubjectRulesReview({ body: { spec: { namespace } } });
  const rights = new Map<string, Set<string>>();
  for (const { verbs, apiGroups = [""], resources = [], resourceNames = [] } of answer.status?.resourceRules ?? [])
    for (const group of apiGroups)
      for (const resource of resources) {
        // What the cluster's own roles give people in their namespace is not ours to tell.
        if (isPerson && namespace === TENANT && group !== "agentic.dev") continue;
        const names = resourceNames.length > 0 ? ` ${resourceNames.join(",")}` : "";
        const key = `${resource}${group ? `.${group}` : ""}${names}`;
        rights.set(key, new Set([...(rights.get(key) ?? []), ...verbs]));
      }
  return rights;
}

test("what each account may ask of the API server", async () => {
  const nobody = await writeKubeconfig(folder, { namespace: TENANT, name: NOBODY });
  const everybody = new Map<string, Map<string, Set<string>>>();
  for (const namespace of ASKED) everybody.set(namespace, await rightsOf(nobody, namespace, false));
  const lines = ["everybody whom the API server knows, in agentic-system:"];
  for (const [key, verbs] of everybody.get(SYSTEM) ?? []) lines.push(`  ${key}: ${[...verbs].toSorted().join(" ")}`);
  lines.splice(1, lines.length - 1, ...lines.slice(1).toSorted());
  for (const { namespace: home, name } of ACCOUNTS) {
    const file = await writeKubeconfig(await mkdtemp(join(folder, "account-")), { namespace: home, name });
    for (const namespace of ASKED) {
      const rights = await rightsOf(file, namespace, name in PEOPLE);
      const more = [...rights].flatMap(([key, verbs]) => {
        const known = everybody.get(namespace)?.get(key);
        const own = [...verbs].filter((verb) => !known?.has(verb)).toSorted();
        return own.length > 0 ? [`  ${key}: ${own.join(" ")}`] : [];
      });
      lines.push(`${home}/${name} in ${namespace}:${more.length > 0 ? "" : " nothing more"}`, ...more.toSorted());
    }
  }
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("access-api-server.txt");
});

test("what each login may ask of Redis", async () => {
  const users = (await askRedis("ACL LIST"))
    .split("\n")
    .filter((line) => line.startsWith("user ") && !/agentic-tenant-(?!agentic-tests-tenant )/.test(line))
    // Keys, channels and categories: the commands of a category differ with Redis' version.
    .map((line) => {
      const [, name = "", ...rules] = line.split(" ");
      return [name, ...rules.filter((rule) => /^([~&%]|[+-]@)/.test(rule)).toSorted()].join("\n  ");
    })
    .toSorted();
  await expect(`${users.join("\n")}\n`).toMatchFileSnapshot("access-redis.txt");
});
