import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { productManifests } from "../../scripts/deploy/manifests.ts";

// What a pod of the pool runs before it is told to end, as config/ has it. On the real Browserless: test/kubernetes/alone/browser-scaling.test.ts.

interface Spec {
  readonly template: {
    spec: { containers: { lifecycle: { preStop: { exec: { command: [string, ...string[]] } } } }[] };
  };
}
const pool = productManifests().find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "browserless");
const [container] = (pool?.["spec"] as Spec | undefined)?.template.spec.containers ?? [];

/** Runs it beside a Browserless that answers one after the other. @returns its exit code, and when it asked, in ms */
async function drain(...answers: readonly { running: number; queued: number }[]) {
  const began = Date.now();
  const asked: number[] = [];
  const server = createServer(({ url, headers }, response) => {
    expect([url, headers.authorization]).toEqual(["/pressure", "Bearer secret"]);
    const pressure = answers[asked.length] ?? answers.at(-1);
    asked.push(Date.now() - began);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ pressure }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const [program, ...args] = container?.lifecycle.preStop.exec.command ?? ["false"];
  const { port } = server.address() as AddressInfo;
  const env = { ...process.env, PORT: String(port), TOKEN: "secret" };
  const [code] = await once(spawn(program, args, { env, stdio: ["ignore", "inherit", "inherit"] }), "exit");
  server.close();
  return { code, asked };
}

describe.concurrent("a pod of the pool that goes", () => {
  test("stays while a session runs", async () => {
    const { code, asked } = await drain({ running: 1, queued: 0 }, { running: 0, queued: 0 });
    expect(asked).toHaveLength(2);
    expect(code).toBe(0);
  });

  test("stays while one waits", async () => {
    expect((await drain({ running: 0, queued: 1 }, { running: 0, queued: 0 })).asked).toHaveLength(2);
  });

  test("waits until no new session can come before it looks", async () => {
    const { asked } = await drain({ running: 0, queued: 0 });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThanOrEqual(4900);
  });
});
