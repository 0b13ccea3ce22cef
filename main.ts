import { setTimeout as sleep } from "node:timers/promises";
import { readConfig, startedWith } from "./lib/config.ts";
import { untilSecretsChange } from "./lib/edges/secret-files.ts";
import { createLog, type Logger } from "./lib/log.ts";
import { mainProcess } from "./lib/main-process.ts";
import { serve } from "./lib/serve.ts";
import { startTelemetry } from "./lib/telemetry/start.ts";

/** How soon a change is seen once the kubelet has brought it, twice: a look reads some ten small files. */
const LOOK_MS = 5000;

/** Composition root: FUNCTION chooses what this process is. Each function is loaded only when it is the one. */
await mainProcess(async () => {
  const config = readConfig();
  const log = createLog(config.FUNCTION, config.LOG_LEVEL);
  const draining = new AbortController();
  const { FUNCTION: name } = config;
  const telemetry = await startTelemetry(name, config, log);
  if (config.SECRETS_FOLDER !== undefined) void endWhenSecretsChange(config.SECRETS_FOLDER, log);
  if (name === "egress") {
    const { runEgress } = await import("./egress/main.ts");
    await runEgress(config, log, telemetry);
  } else if (name === "admit") {
    const { runAdmit } = await import("./compose-admit.ts");
    await runAdmit(config, log, draining, telemetry);
  } else if (name === "setup" || name === "remove" || name === "doctor") {
    const { runDoctor, runRemove, runSetup } = await import("./compose-setup.ts");
    if (name === "setup") await runSetup(config, log);
    else if (name === "remove") await runRemove(log);
    else await runDoctor();
    await telemetry.shutdown();
  } else {
    const { composeFunction } = await import("./compose.ts");
    const app = await composeFunction(config, log, draining.signal);
    await serve(app, { host: config.HOST, port: config.PORT, log, draining, telemetry });
  }
});

/** As SIGTERM ends it: requests that it has end first. Its container is started again, with what the Secrets say then. */
async function endWhenSecretsChange(folder: string, log: Logger): Promise<void> {
  const idle = (ms: number) => sleep(ms, undefined, { ref: false });
  const secrets = { folder, environment: startedWith(), everyMs: LOOK_MS, log };
  const changed = await untilSecretsChange(secrets, idle);
  log.info({ changed }, "Secrets have changed: this process ends, to be started with the new ones");
  process.kill(process.pid, "SIGTERM");
}
