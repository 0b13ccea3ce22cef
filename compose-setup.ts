import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./lib/config.ts";
import { connectKube } from "./lib/edges/kube.ts";
import { kubeConfig } from "./lib/edges/kube-calls.ts";
import type { Logger } from "./lib/log.ts";

/** What Jobs of the Helm chart run (charts/agentic), each to its end. */
export async function runSetup(config: Config, log: Logger): Promise<void> {
  const [{ setUp }, { SECRET_NAMES }, { connectSetup }] = await Promise.all([
    import("./functions/setup/setup.ts"),
    import("./functions/setup/secrets.ts"),
    import("./lib/edges/kube-setup.ts"),
  ]);
  await setUp({
    cluster: connectSetup(kubeConfig()),
    ...(config.SETUP_SECRETS ? { secrets: { ...SECRET_NAMES, ...config.SETUP_SECRET_NAMES } } : {}),
    model: { apiKey: "", apiBase: "https://api.openai.com/v1" },
    kinds: config.SETUP_KINDS === undefined ? [] : await kindsIn(config.SETUP_KINDS),
    now: () => new Date(),
    log,
  });
}

export async function runRemove(log: Logger): Promise<void> {
  const { remove } = await import("./functions/setup/remove.ts");
  await remove({ kube: connectKube(kubeConfig()), log });
}

/** The pre-flight check, for `helm test`. @throws Error where something is missing, which the findings name */
export async function runDoctor(): Promise<void> {
  const [{ canRun, findingText, preflight }, { readFacts }, { connectFacts }] = await Promise.all([
    import("./functions/setup/preflight.ts"),
    import("./functions/setup/facts.ts"),
    import("./lib/edges/kube-facts.ts"),
  ]);
  const findings = preflight(await readFacts(connectFacts(kubeConfig())));
  for (const finding of findings) process.stdout.write(findingText(finding));
  if (!canRun(findings)) throw new Error("something is missing: see above");
}

async function kindsIn(folder: string): Promise<object[]> {
  // The image's bundle gives what a CommonJS package exports as its default alone.
  const { default: yaml } = await import("yaml");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => yaml.parse(readFileSync(join(folder, file), "utf8")) as object);
}
