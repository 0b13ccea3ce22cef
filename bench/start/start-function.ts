import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** ms from spawn to the log line `listening`, and MB resident right after it. */
export interface Start {
  readonly ms: number;
  readonly mb: number;
}

/** Starts a function's process with these settings beside this process' own, and ends it once it listens. */
export async function startFunction(entry: string, name: string, settings: NodeJS.ProcessEnv): Promise<Start> {
  const began = performance.now();
  const child: ChildProcess = spawn(process.execPath, [entry], {
    env: { ...process.env, FUNCTION: name, PORT: "0", HOST: "127.0.0.1", ...settings },
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (!child.stderr) throw new Error("no stderr");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (line.includes('"listening"')) {
      const ms = performance.now() - began;
      const kb = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
      child.kill("SIGTERM");
      await once(child, "exit");
      return { ms, mb: Number(kb) / 1024 };
    }
  }
  throw new Error(`${name} (${entry}) ended before it listened:\n${said.join("\n")}`);
}
