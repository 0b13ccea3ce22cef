import { spawn } from "node:child_process";

const PROGRAMS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ["open"],
  win32: ["explorer"],
};

/** Shows a file or an address with the program that the desktop has for it; where there is none, its user has been told where it is. */
export async function openProgram(what: string): Promise<void> {
  const [command, ...args] = PROGRAMS[process.platform] ?? ["xdg-open"];
  const child = spawn(command, [...args, what], { stdio: "ignore", detached: true });
  await new Promise<void>((resolve) => {
    child.once("spawn", resolve);
    child.once("error", () => {
      process.stderr.write(`${command} cannot be started: open it by hand\n`);
      resolve();
    });
  });
  child.unref();
}
