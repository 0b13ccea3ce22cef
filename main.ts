import { readConfig } from "./lib/config.ts";
import { createLog } from "./lib/log.ts";
import { mainProcess } from "./lib/main-process.ts";
import { serve } from "./lib/serve.ts";
import { startTelemetry } from "./lib/telemetry/start.ts";

/** Composition root: FUNCTION chooses what this process is. Each function is loaded only when it is the one. */
await mainProcess(async () => {
  const config = readConfig();
  const log = createLog(config.FUNCTION, config.LOG_LEVEL);
  const draining = new AbortController();
  const { FUNCTION: name } = config;
  const telemetry = await startTelemetry(name, config, log);
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
