import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The test's own environment, with this checkout's Node in front, and without what an npm that runs the tests says of itself. */
export function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { npm_config_local_prefix: _, PATH = "", ...inherited } = process.env as Record<string, string>;
  return { ...inherited, PATH: [join(ROOT, "node_modules/.bin"), PATH].join(delimiter), ...more };
}

/** Runs a command to its end, whatever that is. @throws Error when there is no such command */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ran> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: environment(options.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (data: Buffer) => {
      said[stream] += data.toString();
    });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  return { code, ...said };
}

/** As run. @returns stdout @throws Error with what it said, when it did not end well */
export async function output(...of: Parameters<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await run(...of);
  if (code === 0) return stdout;
  throw new Error(`${of[0]} ${of[1].join(" ")} ended with ${code}:\n${stdout}${stderr}`);
}
