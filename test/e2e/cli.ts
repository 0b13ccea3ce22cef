import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const CLI = fileURLToPath(new URL("../../cli/agentic.ts", import.meta.url));
export const EXAMPLE = fileURLToPath(new URL("../../examples/market-analysis.yaml", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr has said it; rejects when the command ends before. */
  said(text: string | RegExp): Promise<string>;
}

/** `agentic ARGS` as a user starts it: another process, no terminal. */
export function agentic(args: readonly string[], env: Record<string, string> = {}): Command {
  const { OPENAI_API_KEY: _key, LLM_BASE_URL: _url, ...rest } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...rest, ...env },
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout?.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr?.on("data", (data: Buffer) => {
    stderr += data.toString();
    for (const listener of listeners) listener();
  });
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, stdout, stderr }) as Ended);
  return {
    child,
    ended,
    said(text) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const found = typeof text === "string" ? (stderr.includes(text) ? text : undefined) : text.exec(stderr)?.[0];
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        void ended.then(() => reject(new Error(`the command ended before it said ${text}:\n${stderr}`)));
        look();
      });
    },
  };
}

/** When to kill the next of a row of commands, in ms: each lives a fifth longer, so that one comes through on a machine however slow. */
export function killAfter(firstMs: number, kills: number): number {
  return firstMs * 1.2 ** kills;
}
