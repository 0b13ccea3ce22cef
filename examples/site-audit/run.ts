/**
 * `node run.ts [--out FOLDER]`: the whole example on this machine. Builds the agents, serves the sample sites, starts the four agents
 * and runs workload.yaml over them by `agentic run`, to a report. At a terminal it asks for the review; elsewhere it approves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { startSampleSites } from "./sites/serve.ts";

const AGENTS = ["discover", "audit", "summarize", "report"] as const;
const FILES = ["pipeline.yaml", "agents.yaml", "workload.yaml"] as const;

const here = fileURLToPath(new URL(".", import.meta.url));
/** The checkout of agentic-kubernetes that the agent package and the command come from. */
const checkout = resolve(here, "../..");
// Node 24 is among the checkout's dependencies.
const env = { ...process.env, PATH: [join(checkout, "node_modules/.bin"), process.env["PATH"]].join(delimiter) };

const { values } = parseArgs({ options: { out: { type: "string", default: "agentic-runs/sample-audit" } } });
const out = resolve(values.out);

await build();
const sites = await startSampleSites();
const agents = await Promise.all(AGENTS.map(async (name) => ({ name, port: await freePort() })));
process.exitCode = await runWorkload();
await sites.close();

/** Packs the agent package, installs it with the other dependencies unless it is installed already, and compiles the agents. */
async function build(): Promise<void> {
  const vendor = join(here, "vendor");
  const [tarball] = (await output("npm", ["run", "--silent", "agent-package", "--", vendor], checkout))
    .trim()
    .split("\n");
  const digest = createHash("sha256")
    .update(await readFile(tarball ?? ""))
    .update(await readFile(join(here, "package-lock.json")))
    .digest("hex");
  const stamp = join(here, "node_modules", ".installed");
  if ((await readFile(stamp, "utf8").catch(() => "")) !== digest) {
    console.error("Installing the example's dependencies");
    await output("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], here);
    await writeFile(stamp, digest);
  }
  await output("npm", ["run", "--silent", "build"], here);
}

/** @returns the exit code of `agentic run` */
async function runWorkload(): Promise<number> {
  await mkdir(out, { recursive: true });
  const settings = join(out, "agent.env");
  // That of an earlier run names a Redis and a browser that have ended.
  await rm(settings, { force: true });
  const command = agenticRun();
  // Ctrl-C reaches it by the terminal; it ends first, then the agents and the sites.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => command.kill("SIGTERM"));
  const ended = once(command, "exit") as Promise<[number | null]>;
  await Promise.race([ended, appears(settings, ended)]);
  const processes = existsSync(settings) ? await startAgents(settings) : [];
  const [code] = await ended;
  await Promise.all(processes.map(stop));
  return code ?? 1;
}

function agenticRun(): ChildProcess {
  const files = FILES.map((file) => relative(process.cwd(), join(here, file)));
  const isAtTerminal = process.stdin.isTTY && process.stderr.isTTY;
  const args = [
    ...["run", ...files, "--out", out],
    ...agents.flatMap(({ name, port }) => ["--agent", `${name}=http://127.0.0.1:${port}`]),
    ...sites.hosts.flatMap((host) => ["--resolve", `${host}=127.0.0.1:${sites.port}`]),
    ...(isAtTerminal ? [] : ["--approve"]),
  ];
  // Ports differ each time: only this script can continue a run.
  const AGENTIC_COMMAND = `node ${relative(process.cwd(), join(here, "run.ts"))} --out ${values.out}`;
  return spawn(process.execPath, [join(checkout, "cli/agentic.ts"), ...args], {
    stdio: "inherit",
    env: { ...env, AGENTIC_COMMAND },
  });
}

/** Waits for a file, or for the end of what writes it. */
async function appears(path: string, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (
    !isOver &&
    !(await access(path).then(
      () => true,
      () => false,
    ))
  )
    await sleep(50);
}

/** Each agent is a process of the same program, with the settings that `agentic run` wrote. Their logs are in the run's folder. */
async function startAgents(settings: string): Promise<ChildProcess[]> {
  const given = parseEnv(await readFile(settings, "utf8"));
  return agents.map(({ name, port }) =>
    spawn(process.execPath, [join(here, "build/src/index.js"), name], {
      stdio: ["ignore", "ignore", openSync(join(out, `${name}.log`), "a")],
      env: { ...env, ...given, HOST: "127.0.0.1", PORT: String(port) },
      // Ctrl-C is for the command, which lets steps end.
      detached: true,
    }),
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

/** Runs a command to its end. @returns its stdout @throws Error with what it said when it fails */
async function output(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let said = "";
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${stdout}${said}`);
  return stdout;
}
