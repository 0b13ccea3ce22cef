/** `restate.ts`: starts restate-server with its default settings (fsync on) and a service whose handler runs five durable steps. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as restate from "@restatedev/restate-sdk";
import { serveRounds } from "../contender.ts";

const SERVER = fileURLToPath(new URL("./node_modules/.bin/restate-server", import.meta.url));
const [INGRESS, ADMIN, SERVICE] = [8080, 9070, 9080];

spawn(SERVER, ["--base-dir", mkdtempSync(join(tmpdir(), "agentic-bench-restate-")), "--listen-mode", "tcp"], {
  env: { ...process.env, RESTATE_DISABLE_TELEMETRY: "true", RESTATE_LOG_FILTER: "warn", DO_NOT_TRACK: "1" },
  stdio: "ignore",
});
const bench = restate.service({
  name: "Bench",
  handlers: {
    run: async (context: restate.Context, id: string) => {
      for (const step of ["one", "two", "three", "four", "five"]) await context.run(step, async () => step);
      return id;
    },
  },
});
await restate.serve({ services: [bench], port: SERVICE });

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${said}`);
}

async function register(): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await post(`http://127.0.0.1:${ADMIN}/deployments`, { uri: `http://127.0.0.1:${SERVICE}` });
      return;
    } catch (error) {
      if (tries === 60) throw error;
      await sleep(500);
    }
  }
}
await register();
serveRounds((id) => post(`http://127.0.0.1:${INGRESS}/Bench/run`, id));
