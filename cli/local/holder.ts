import { hostname } from "node:os";

/** How a command signs its leases. */
export function holderName(pid: number): string {
  return `agentic run, process ${pid} on ${hostname()}`;
}

/** Of a command on this host it can be seen that it died: the next one need not wait for its leases to end. */
export function isDeadHolder(holder: string): boolean {
  const pid = /process (\d+) on (.+)$/.exec(holder);
  if (!pid?.[1] || pid[2] !== hostname()) return false;
  try {
    process.kill(Number(pid[1]), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
