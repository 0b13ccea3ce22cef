import { execFile } from "node:child_process";
import { once } from "node:events";
import { beforeAll, describe, expect, test } from "vitest";
import { createAgents } from "./agents.ts";
import { apply, kubeconfig, until } from "./cluster.ts";
import { TENANT } from "./namespaces.ts";
import { pipeline, run, strings, testAgent } from "./tenant.ts";
import { decide, untilPhase, workload } from "./workload.ts";

// `kubectl agentic`, as its user types it. How people decide with it: decisions.test.ts.

const WHERE = ["-n", TENANT, "--kubeconfig", kubeconfig];
const PLUGIN = new URL("../../cli/kubectl-agentic.ts", import.meta.url).pathname;

function agentic(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PLUGIN, ...args, "-n", TENANT, "--kubeconfig", kubeconfig], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

beforeAll(async () => {
  await createAgents(await testAgent("shown"));
  const properties = { topics: strings, draw: { type: "object" } };
  await apply(
    pipeline("shown", {
      inputs: { schema: { type: "object", properties } },
      steps: [
        { name: "find", agent: "shown", forEach: "inputs.topics", with: ["draw"] },
        { name: "ask", gate: {}, after: ["find"] },
        { name: "write", agent: "shown", after: ["ask"] },
      ],
    }),
  );
});

describe.concurrent("kubectl agentic", () => {
  test("describe: the run as a tree, with what failed and why", async () => {
    const name = "unlucky";
    const inputs = { topics: ["a", "b"], draw: { numbers: [1], failureRate: 100 } };
    await apply(run(name, { pipeline: "shown", inputs, tolerate: { failedItems: "100%" } }));
    await untilPhase(TENANT, name, "AwaitingReview");
    const { code, stdout } = await agentic("describe", name);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${TENANT}/${name}  AwaitingReview  ${TENANT}/shown  0/2 items, 2 failed`));
    expect(stdout).toMatch(/├─ find {3}0\/2 succeeded, 2 failed\n│ {5}a: Unlucky: as drawn\n│ {5}b: Unlucky/);
    expect(stdout).toMatch(/├─ ask {4}waits for a decision until .*, then: Reject/);
    expect(stdout).toMatch(/└─ write {2}waits\n/);
    const json = JSON.parse((await agentic("describe", name, "-o", "json")).stdout);
    expect(json).toMatchObject({ name, phase: "AwaitingReview", failures: [{ step: "find", item: "a" }, {}] });
  });

  test("suspend, resume, and watch to the end", async () => {
    const name = "watched";
    await apply(run(name, { pipeline: "shown", inputs: { topics: ["a"] } }));
    await untilPhase(TENANT, name, "AwaitingReview");
    expect(await agentic("suspend", name)).toMatchObject({ code: 0, stdout: expect.stringContaining("suspended") });
    expect(await agentic("suspend", name)).toMatchObject({ code: 0, stdout: `${name} is already suspended\n` });
    await untilPhase(TENANT, name, "Suspended");
    expect(await agentic("resume", name)).toMatchObject({ code: 0, stdout: `${name} resumed\n` });
    await untilPhase(TENANT, name, "AwaitingReview");
    const watch = execFile(process.execPath, [PLUGIN, "watch", name, ...WHERE]);
    let stdout = "";
    watch.stdout?.on("data", (text: string) => {
      stdout += text;
    });
    const ended = once(watch, "close");
    await until("its first line", async () => /^\d\d:\d\d:\d\d {2}AwaitingReview .*gate ask waits/.test(stdout));
    await decide(TENANT, name, "approved", { gate: "ask" });
    const [code] = (await ended) as [number];
    expect([code, (await workload(TENANT, name))?.status.phase]).toEqual([0, "Succeeded"]);
    expect(stdout).toMatch(/\d\d:\d\d:\d\d {2}Succeeded/);
    expect(stdout).toMatch(/└─ write {2}succeeded/);
  });

  test.each(["describe", "watch", "suspend", "resume"])("%s says what is not there", async (command) => {
    expect(await agentic(command, "nobody")).toEqual({
      code: 1,
      stdout: "",
      stderr: `kubectl agentic: there is no AgentWorkload nobody in namespace ${TENANT}\n`,
    });
  });
});
