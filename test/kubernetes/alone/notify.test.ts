import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FUNCTIONS, withImages } from "../../../scripts/deploy/images.ts";
import { readManifests } from "../../../scripts/deploy/manifests.ts";
import { createAgents } from "../agents.ts";
import { apply, ask, get, kubectl, list, until } from "../cluster.ts";
import { OTHER, TENANT } from "../namespaces.ts";
import { pipeline, run, supportImage, testAgent } from "../tenant.ts";
import { reviewLink, SYSTEM, untilPhase } from "../workload.ts";

// examples/notify as its README has it installed, behind this cluster's walls, and a chat in another namespace. With nothing beside it:
// a function more in agentic-system is in the way of tests that look at all of them.

const FOLDER = join(import.meta.dirname, "../../../examples/notify");
/** Where a chat listens, and the one port that the example's policy opens. */
const PORT = 443;
const chat = { namespace: OTHER, name: "chat" };
const INSTALLED = ["ksvc/notify", "trigger/notify", "networkpolicy/notify", "configmap/notify", "secret/notify-chat"];

beforeAll(async () => {
  await apply(...(await chatObjects()));
  await kubectl(["-n", OTHER, "rollout", "status", "deployment/chat", "--timeout=120s"]);
  await install();
  await createAgents(await testAgent("notifying"));
  await apply(
    pipeline("telling", {
      steps: [
        { name: "find", agent: "notifying" },
        { name: "ask", gate: {}, after: ["find"] },
        { name: "write", agent: "notifying", after: ["ask"] },
      ],
    }),
  );
});
afterAll(async () => {
  await kubectl(["-n", SYSTEM, "delete", ...INSTALLED, "--ignore-not-found", "--timeout=120s"]);
  await kubectl(["-n", OTHER, "delete", "deployment/chat", "service/chat", "--ignore-not-found"]);
  await kubectl(["-n", TENANT, "delete", "agentworkload", "--all", "--timeout=120s"]);
});

/** The commands of its README, with the functions' image of this cluster. */
async function install(): Promise<void> {
  const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
  const url = `http://${chat.name}.${chat.namespace}.svc.cluster.local:${PORT}/hook`;
  const commands = [...readme.matchAll(/^kubectl (-n agentic-system create .*)$/gm)].map(([, line = ""]) =>
    line.replace("YOUR_WEBHOOK", url).split(" "),
  );
  expect(commands).toHaveLength(2);
  for (const command of commands) await kubectl(command);
  const approve = await get("ksvc", SYSTEM, "approve");
  const image = approve?.spec.template.spec.containers[0].image;
  await apply(...withImages(readManifests(join(FOLDER, "notify.yaml")), { [FUNCTIONS]: image }));
  await kubectl(["-n", SYSTEM, "wait", "ksvc/notify", "trigger/notify", "--for=condition=Ready", "--timeout=180s"]);
}

async function chatObjects(): Promise<object[]> {
  const labels = { app: chat.name };
  const container = {
    name: chat.name,
    image: await supportImage(),
    env: [
      { name: "ROLE", value: "chat" },
      { name: "PORT", value: String(PORT) },
    ],
    readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
  };
  const sysctls = [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }];
  const pod = { enableServiceLinks: false, securityContext: { sysctls }, containers: [container] };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: chat,
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
    },
    { apiVersion: "v1", kind: "Service", metadata: chat, spec: { selector: labels, ports: [{ port: PORT }] } },
  ];
}

const said = async (): Promise<string[]> =>
  (JSON.parse((await ask({ ...chat, port: PORT }, "/said")).body) as { text: string }[]).map(({ text }) => text);

test("a review that waits is told to the chat once, with the link that decides it", async () => {
  const name = "told";
  await apply(run(name, { pipeline: "telling" }));
  await untilPhase(TENANT, name, "AwaitingReview");
  const own = (text: string): boolean => text.startsWith(`${TENANT}/${name} waits at the gate ask until `);
  const [text = ""] = await until("the chat to be told", async () => {
    const texts = (await said()).filter(own);
    return texts.length > 0 && texts;
  });
  const { url, token } = await reviewLink(TENANT, name, "ask");
  expect(text).toContain(`Review it: ${url.href}`);
  expect(token).not.toBe("");
  expect((await said()).filter(own)).toHaveLength(1);
});

test("its pod reaches the chat, and nothing of the product", async () => {
  const [pod] = await until("a pod of notify", async () => {
    const pods = await list("pods", SYSTEM, "serving.knative.dev/service=notify");
    return pods.length > 0 && pods;
  });
  const connect = `
    const reached = [];
    const all = [["chat", "${chat.name}.${chat.namespace}", ${PORT}], ["redis", "redis", 6379], ["store", "store", 7070], ["browserless", "browserless", 3000], ["openai", "openai", 80]];
    for (const [name, host, port] of all)
      require("node:net").connect({ host: host + (host.includes(".") ? "" : ".${SYSTEM}") + ".svc.cluster.local", port })
        .on("connect", () => reached.push(name))
        .on("error", ({ code }) => code === "ECONNREFUSED" && reached.push(name));
    setTimeout(() => { console.log(JSON.stringify(reached)); process.exit(0); }, 8000);`;
  const node = ["/usr/local/bin/node", "-e", connect];
  const container = ["-c", pod?.spec.containers[0].name];
  const answer = await kubectl(["-n", SYSTEM, "exec", pod?.metadata.name ?? "", ...container, "--", ...node]);
  expect(JSON.parse(answer)).toEqual(["chat"]);
});
