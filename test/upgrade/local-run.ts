import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { agentic, type Command } from "../e2e/cli.ts";
import { freePort } from "../free-port.ts";

// The run of the recorded run folders: three items through an agent of three nodes, a gate, and a step after it.

const AGENT = join(import.meta.dirname, "agent.ts");

/** Ten years, as nobody knows when a fixture is read. */
const WORKLOAD = `apiVersion: agentic.dev/v1alpha1
kind: AgentWorkload
metadata: { name: kept }
spec:
  pipeline: kept
  replicas: 1
  inputs: { items: [a, b, c] }
  freshness: 3650d
  deadlines: { item: 3650d, run: 3650d }
  review: { timeout: 3650d }
---
apiVersion: agentic.dev/v1alpha1
kind: AgentPipeline
metadata: { name: kept }
spec:
  inputs: { schema: { type: object, properties: { items: { type: array, items: { type: string } } } } }
  steps:
    - { name: find, agent: worker }
    - { name: look, agent: worker, after: [find], forEach: inputs.items }
    - { name: review, after: [look], gate: { show: [look] } }
    - { name: sum, agent: worker, after: [review] }
---
apiVersion: agentic.dev/v1alpha1
kind: Agent
metadata: { name: worker }
spec: { image: example.com/worker:1 }
`;

/** What a reviewer makes of one fact, with an approval. */
export const CORRECTIONS = [
  { step: "look", item: "a", fact: "words", of: 'look of "a"', action: "correct", value: "something else" },
];

export interface LocalRun {
  readonly command: Command;
  /** The nodes that the agent began, in this run of the command. */
  begun(): string[];
  /** Ends the agent, as by a power cut. */
  kill(): Promise<void>;
}

/** `agentic run` in a folder, with its agent beside it. */
export async function startLocalRun(folder: string, { hang }: { readonly hang?: string } = {}): Promise<LocalRun> {
  const file = join(folder, "workload.yaml");
  writeFileSync(file, WORKLOAD);
  const log = join(folder, `begun-${process.hrtime.bigint()}.log`);
  const port = await freePort();
  const command = agentic(["run", file, "--out", folder, "--agent", `worker=http://127.0.0.1:${port}`]);
  // One that has nothing to do ends without its agent.
  const waits = await command.said("start it with the settings in").catch(() => undefined);
  const agent = waits === undefined ? undefined : startAgent(folder, port, log, hang);
  return {
    command,
    begun: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
    async kill() {
      if (!agent || agent.exitCode !== null || agent.signalCode !== null) return;
      agent.kill("SIGKILL");
      await once(agent, "exit");
    },
  };
}

function startAgent(folder: string, port: number, log: string, hang: string | undefined): ChildProcess {
  const args = [`--env-file=${join(folder, "agent.env")}`, AGENT];
  return spawn(process.execPath, args, {
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      PORT: String(port),
      HOST: "127.0.0.1",
      LOG: log,
      ...(hang === undefined ? {} : { HANG: hang }),
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Until the agent has begun a node. @throws Error when the command ends before */
export async function untilBegun(run: LocalRun, line: string): Promise<void> {
  while (!run.begun().includes(line)) {
    if (run.command.child.exitCode !== null) throw new Error((await run.command.ended).stderr);
    await sleep(20);
  }
}

/** Ctrl-C, and what was begun ends or is given up. */
export async function interrupt({ command }: LocalRun): Promise<void> {
  command.child.kill("SIGINT");
  await command.ended;
}
