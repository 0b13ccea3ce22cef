/** `make demo`: the sample sites on a real HTTP server, and `agentic run` over them, to a report. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { startSampleSites } from "./serve.ts";

const workload = process.argv[2] ?? "market-analysis";
const cli = fileURLToPath(new URL("../cli/agentic.ts", import.meta.url));
const file = fileURLToPath(new URL(`./${workload}.yaml`, import.meta.url));

const sites = await startSampleSites({});
const text = await readFile(file, "utf8");
const hosts = sites.hosts.filter((host) => text.includes(`//${host}/`));
console.error(`demo: ${hosts.length} sample sites on 127.0.0.1:${sites.port}, each under its own host name`);
const child = spawn(
  process.execPath,
  [
    cli,
    "run",
    file,
    ...hosts.flatMap((host) => ["--resolve", `${host}=127.0.0.1:${sites.port}`]),
    // Without a terminal nobody can decide: the gates approve themselves.
    ...(process.stdin.isTTY && process.stderr.isTTY ? [] : ["--approve"]),
  ],
  {
    stdio: "inherit",
    // The sites' port differs each time: only the demo itself can continue the run.
    env: {
      ...process.env,
      AGENTIC_COMMAND: workload === "market-analysis" ? "make demo" : `node examples/demo.ts ${workload}`,
    },
  },
);
// Ctrl-C reaches the child through the terminal: it ends first, then the sites.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
const [code] = (await once(child, "exit")) as [number | null];
await sites.close();
process.exitCode = code ?? 1;
