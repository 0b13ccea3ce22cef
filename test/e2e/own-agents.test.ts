import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { agentic, type Command } from "./cli.ts";
import { endServers } from "./processes.ts";

const AGENT = fileURLToPath(new URL("agent.ts", import.meta.url));

let out: string;
let port: number;
let commands: Command[] = [];
let agents: ChildProcess[] = [];
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "agentic-own-"));
  port = await freePort();
  commands = [];
  agents = [];
});
afterEach(async () => {
  for (const child of [...commands.map((command) => command.child), ...agents])
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  await endServers(out);
  await rm(out, { recursive: true, force: true });
});

/** `agentic run` of a workload, its pipeline and its agent in one file; the agent is expected at `port`. */
async function run(steps: string, spec = "", ...args: string[]): Promise<Command> {
  return runIn(out, steps, spec, ...args);
}

async function runIn(folder: string, steps: string, spec: string, ...args: string[]): Promise<Command> {
  const file = join(out, "all.yaml");
  await writeFile(
    file,
    `apiVersion: agentic.dev/v1alpha1
kind: AgentWorkload
metadata: { name: own }
spec: { pipeline: own ${spec} }
---
apiVersion: agentic.dev/v1alpha1
kind: AgentPipeline
metadata: { name: own }
spec:
  steps:
${steps}
---
apiVersion: agentic.dev/v1alpha1
kind: Agent
metadata: { name: worker }
spec: { image: example.com/worker:1 }
`,
  );
  const command = agentic(["run", file, "--out", folder, "--agent", `worker=http://127.0.0.1:${port}`, ...args]);
  commands.push(command);
  return command;
}

/** Starts the agent with the settings that the command has written, as its output says. */
async function startAgent(command: Command): Promise<void> {
  await command.said("start it with the settings in");
  const script = `set -a; . ${join(out, "agent.env")}; set +a; exec "$0" "$1"`;
  const child = spawn("sh", ["-c", script, process.execPath, AGENT], {
    env: { PATH: process.env["PATH"], HOME: out, PORT: String(port), HOST: "127.0.0.1" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  agents.push(child);
}

async function state(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(out, "run.json"), "utf8"));
}

const FAN_OUT = `
    - { name: find, agent: worker }
    - { name: look, agent: worker, after: [find], forEach: steps.find.items }
    - { name: deep, agent: worker, after: [look], when: steps.find.data.browser.contains("nowhere") }
    - { name: left, gate: { show: [look] }, after: [look] }
    - { name: right, gate: { show: [look], timeout: 1h, onTimeout: Approve }, after: [look] }
    - { name: sum, agent: worker, after: [look, left, right] }`;

describe("agents of one's own", () => {
  test("run in processes of their own, over a list that one of them returned, past two gates; started again, nothing is repeated", async () => {
    const command = await run(FAN_OUT);
    await startAgent(command);
    await command.said("Gate left waits");
    await command.said("Gate right waits");
    const decide = (...args: string[]) => agentic([...args, "--out", out]).ended;
    const both = await decide("approve", "own");
    expect([both.code, both.stderr]).toEqual([
      1,
      expect.stringMatching(/several gates wait.*--gate, of (left, right|right, left)/),
    ]);
    expect((await decide("approve", "own", "--gate", "nowhere")).stderr).toContain("gate nowhere does not wait");
    expect((await decide("approve", "own", "--gate", "left", "--comment", "Fine.")).code).toBe(0);
    // One is left: it needs no name.
    await expect.poll(async () => (await state())["phase"]).toBe("AwaitingReview");
    expect((await decide("approve", "own")).code).toBe(0);
    const { code, stderr } = await command.ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining("[2/2] look")]);
    expect(await state()).toMatchObject({
      phase: "Succeeded",
      items: { total: 2, done: 2 },
      steps: [
        { name: "find", succeeded: 1 },
        { name: "look", total: 2, succeeded: 2 },
        { name: "deep", skipped: 1 },
        {},
        {},
        { name: "sum", succeeded: 1 },
      ],
      reviews: [
        { gate: expect.any(String), decision: "approved", how: "CommandLine", automatic: false },
        { gate: expect.any(String), decision: "approved", how: "CommandLine", automatic: false },
      ],
      outputs: { text: join(out, "sum.txt") },
    });
    expect(await readFile(join(out, "sum.txt"), "utf8")).toContain('"url":"https://b.example/"');
    // The agent still runs: the next command gives it the same addresses. Other terms are the same run, whose decisions stand.
    await rm(join(out, "run.json"));
    const again = await (await run(FAN_OUT, ", review: { required: false }")).ended;
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("2 of 2 items done")]);
    expect(again.stderr).not.toMatch(/^find|\] look|^sum/m);
  });

  test("get how a step ended in the run before it, when a rerun asks for all of it again", async () => {
    const step = "    - { name: only, agent: worker, previous: true }";
    const text = (folder = out): Promise<string> => readFile(join(folder, "only.txt"), "utf8");
    const first = await run(step);
    await startAgent(first);
    expect((await first.ended).code).toBe(0);
    const { results } = (await state())["lastSucceeded"] as { results: string };
    expect([await text(), (await state())["comparedWith"]]).toEqual(['only {"params":{},"from":{}}', undefined]);
    // The agent still runs.
    const again = await run(step, ", rerun: { at: 2026-01-01T00:00:00Z }");
    expect((await again.ended).code).toBe(0);
    expect(await text()).toMatch(/"previous":\{.*\n?before: only \{"params":\{\},"from":\{\}\}$/s);
    expect((await state())["comparedWith"]).toMatchObject({ workload: "own", results });
    expect((await agentic(["status", "own", "--out", out]).ended).stdout).toMatch(/Compared +with the last run of own/);
  });

  test("that is not started is waited for; Ctrl-C gives the command back", async () => {
    const command = await run("    - { name: only, agent: worker }");
    await command.said("start it with the settings in");
    expect(await readFile(join(out, "agent.env"), "utf8")).toMatch(
      /^REDIS_URL='unix:.*'\nARTIFACTS_URL='file:.*'\nSTEP_TOKEN_PUBLIC_KEY='-----BEGIN[^']*'\nEGRESS_PROXY_URL='http:.*'\nBROWSER_URL='http:.*'\nHOST_ACCESS_KEY='[0-9a-f]{64}'\n$/,
    );
    command.child.kill("SIGINT");
    expect((await command.ended).code).toBe(130);
  });

  test("one that is killed in the middle of a step is named; started again, the same command continues", async () => {
    const command = await run(
      "    - { name: first, agent: worker }\n    - { name: wait, agent: worker, after: [first] }",
      ", retry: { limit: 0 }",
    );
    await startAgent(command);
    await command.said(/^first /m);
    agents[0]?.kill("SIGKILL");
    const { code, stderr } = await command.ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/step wait: agent worker at http:\S+ cannot be reached \(.*\): start it/),
    ]);
    expect(await state()).toMatchObject({ phase: "Failed", reason: "AgentUnavailable" });
  });

  test("deadlines.run ends the run, whatever is in flight or waits", async () => {
    const steps = "    - { name: gate, gate: {} }\n    - { name: wait, agent: worker }";
    const command = await run(steps, ", deadlines: { run: 15s }");
    await startAgent(command);
    const { code } = await command.ended;
    expect([code, await state()]).toEqual([
      1,
      expect.objectContaining({
        phase: "Failed",
        reason: "DeadlineExceeded",
        message: expect.stringContaining("raise spec.deadlines.run"),
      }),
    ]);
  });

  test("by image without --agent is refused before anything starts", async () => {
    await (await run("    - { name: only, agent: worker }", "", "--agent", "other=http://127.0.0.1:9")).ended;
    const command = agentic(["run", join(out, "all.yaml"), "--out", out]);
    const { code, stderr } = await command.ended;
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/agent worker \(image example\.com\/worker:1\).*--agent worker=URL/),
    ]);
    expect(existsSync(join(out, "redis"))).toBe(false);
  });
});
