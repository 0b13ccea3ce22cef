import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AUDIENCE } from "../../functions/runs/readers.ts";
import { openStream } from "../integration/runs-fixture.ts";
import { people, writeKubeconfig } from "./accounts.ts";
import { apply, kubectl } from "./cluster.ts";
import { askFunction, gateway } from "./functions.ts";
import { OTHER, TENANT } from "./namespaces.ts";
import { PLUGIN } from "./plugin-command.ts";
import { example } from "./workload.ts";

// The pages of runs in a cluster, and over a kubeconfig. What they show and how they end: test/integration/runs*.test.ts.

const ANN = "runs-ann";
const MINE = "runs-mine";
const THEIRS = "runs-theirs";

let folder: string;
let bearer: Record<string, string>;

const tokenFor = async (...args: string[]) => (await kubectl(["-n", TENANT, "create", "token", ANN, ...args])).trim();
const page = (path: string, headers: Record<string, string> = bearer) =>
  askFunction("runs", path, { headers: { accept: "text/html", ...headers } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-runs-"));
  await apply(...people(TENANT, { [ANN]: ["view"] }));
  await apply(
    ...[[TENANT, MINE] as const, [OTHER, THEIRS] as const].map(([namespace, name]) =>
      example(namespace, name, { suspend: true }),
    ),
  );
  bearer = { authorization: `Bearer ${await tokenFor("--audience", AUDIENCE)}` };
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await kubectl(["-n", TENANT, "delete", "agentworkload", MINE, "--ignore-not-found", "--wait=false"]);
  await kubectl(["-n", OTHER, "delete", "agentworkload", THEIRS, "--ignore-not-found", "--wait=false"]);
  await kubectl(["-n", TENANT, "delete", "serviceaccount,rolebinding", ANN, `${ANN}-view`, "--ignore-not-found"]);
});

test("without a token for these pages nobody gets in", async () => {
  expect((await page("/runs", {})).status).toBe(401);
  // One for the API server: these pages do not want it.
  const own = { authorization: `Bearer ${await tokenFor()}` };
  expect((await page("/runs", own)).status).toBe(401);
});

test("who may read one namespace sees its runs as they change, and not another's, until the permission is gone", async () => {
  const list = await page("/runs");
  expect([list.status, list.body]).toEqual([200, expect.stringContaining(MINE)]);
  expect(list.body).not.toContain(THEIRS);
  expect((await page(`/runs/${TENANT}/${MINE}`)).status).toBe(200);
  expect((await page(`/runs/${OTHER}/${THEIRS}`)).status).toBe(404);

  const host = "runs.agentic-system.svc.cluster.local";
  const stream = await openStream(`http://${gateway}/runs/events`, { host, ...bearer });
  expect(stream.status).toBe(200);
  const own = (): string => [...stream.shown().values()].find((block) => block.includes(`>${MINE}<`)) ?? "";
  await stream.until(() => own().includes("Suspended"));
  await kubectl(["-n", TENANT, "patch", "aw", MINE, "--type=merge", "-p", '{"spec":{"suspend":false,"stop":true}}']);
  await stream.until(() => own().includes("Failed") && own().includes("Stopped"));
  expect(stream.raw()).not.toContain(THEIRS);

  await kubectl(["-n", TENANT, "delete", "rolebinding", `${ANN}-view`]);
  await stream.until((text) => text.includes("There are no runs in the namespaces that you may read"));
  stream.close();
  await apply(...people(TENANT, { [ANN]: ["view"] }));
});

test("kubectl agentic watch --open: the same over a kubeconfig", async () => {
  const kubeconfig = await writeKubeconfig(folder, { namespace: TENANT, name: ANN });
  const start = (...args: string[]) =>
    spawn(process.execPath, [PLUGIN, "watch", "--open", ...args, "--kubeconfig", kubeconfig], {
      stdio: ["ignore", "ignore", "pipe"],
      // No browser of this machine.
      env: { ...process.env, PATH: "/nowhere" },
    });
  const refused = start("-A");
  const why: string[] = [];
  refused.stderr.setEncoding("utf8").on("data", (text: string) => why.push(text));
  expect((await once(refused, "close"))[0]).not.toBe(0);
  expect(why.join("")).toContain("cannot list resource");
  const plugin = start("-n", TENANT);
  try {
    let url: string | undefined;
    for await (const line of createInterface({ input: plugin.stderr })) {
      url = /The runs are at (\S+)/.exec(line)?.[1];
      if (url) break;
    }
    const text = await (await fetch(url ?? "")).text();
    expect(text).toContain(MINE);
    expect(text).not.toContain(THEIRS);
    const stream = await openStream(`${url}/${TENANT}/${MINE}/events`);
    await stream.until((shown) => shown.includes("Stopped"));
    stream.close();
  } finally {
    plugin.kill();
  }
});
