import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { environment, ROOT } from "./command.ts";

export interface Served {
  readonly url: string;
  /** Its log so far. */
  said(): string;
  /** SIGTERM, and its exit code. */
  end(): Promise<number | null>;
}

/** `FUNCTION=name npm start`, without npm. */
export function serveFunction(name: string, settings: Readonly<Record<string, string>>): Promise<Served> {
  return serveScript(join(ROOT, "main.ts"), { FUNCTION: name, ...settings });
}

/** Starts a script that listens, and waits until it says so. */
export async function serveScript(script: string, settings: Readonly<Record<string, string>>): Promise<Served> {
  const env = environment({ HOST: "127.0.0.1", PORT: "0", ...settings });
  const child = spawn("node", [script], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  const port = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (data: Buffer) => {
      said += data.toString();
      const listening = /"port":(\d+),"msg":"listening"/.exec(said)?.[1];
      if (listening) resolve(listening);
    });
    child.once("close", () => reject(new Error(`${script} ended before it listened: ${said}`)));
  });
  return { url: `http://127.0.0.1:${port}`, said: () => said, end: () => end(child) };
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  child.kill("SIGTERM");
  return (await once(child, "exit"))[0] as number | null;
}
