/** Does what this process is for, and ends it; what went wrong is a sentence on stderr. */
export async function mainProcess(work: () => Promise<void>): Promise<never> {
  try {
    await work();
    // Connections to Redis would keep the process: all requests have ended.
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
