import { createSecureContext, type SecureContext } from "node:tls";
import { SHARED_NAMESPACE } from "./engine/freeze.ts";
import { createApp } from "./functions/admit/index.ts";
import { keepCertificate } from "./functions/admit/keep-certificate.ts";
import type { Config } from "./lib/config.ts";
import { connectAdmissionConfig } from "./lib/edges/admission-config.ts";
import { connectKube } from "./lib/edges/kube.ts";
import { kubeConfig } from "./lib/edges/kube-calls.ts";
import type { Logger } from "./lib/log.ts";
import { createQuotas } from "./lib/quota/quotas.ts";
import { serve } from "./lib/serve.ts";
import type { Telemetry } from "./lib/telemetry/telemetry.ts";

const NAMES = { namespace: SHARED_NAMESPACE, secret: "agentic-admit-tls", webhooks: "agentic-admit" };
/** As config/admit.yaml names the Service. */
const SERVED_AS = ["admit.agentic-system.svc", "admit.agentic-system.svc.cluster.local"];
const LIFE_MS = 90 * 24 * 3_600_000;
const LOOK_MS = 10 * 60_000;
/** The API server waits three seconds for an answer, and the answer for the API server. */
const CALL_TIMEOUT_MS = 2000;

/** The admission webhook, by TLS, with a certificate that renews itself. Ends as `serve` does. */
export async function runAdmit(
  config: Config,
  log: Logger,
  draining: AbortController,
  telemetry: Telemetry,
): Promise<void> {
  const deps = {
    config: connectAdmissionConfig(NAMES),
    // Needed once in two months: an ordinary start does not load it.
    issue: async (now: Date) =>
      (await import("./functions/admit/certificate.ts")).issueCertificate(SERVED_AS, now, LIFE_MS),
    now: () => new Date(),
    log,
  };
  const kube = connectKube(kubeConfig({ timeoutMs: CALL_TIMEOUT_MS }));
  const app = createApp({
    kube,
    quotas: createQuotas(kube.configMaps),
    ...(config.DEFAULT_PIPELINE === undefined ? {} : { defaultPipeline: config.DEFAULT_PIPELINE }),
    now: deps.now,
    log,
    draining: draining.signal,
  });
  let current = contextOf(await keepCertificate(deps));
  const look = setInterval(() => {
    keepCertificate(deps).then(
      (kept) => {
        current = contextOf(kept);
      },
      (error: unknown) => log.warn({ err: error }, "certificate not looked at; the one that is served stays"),
    );
  }, LOOK_MS);
  const { HOST: host, PORT: port } = config;
  await serve(app, { host, port, log, draining, telemetry, tls: () => current });
  clearInterval(look);
}

function contextOf({ certificate: cert, key }: { certificate: string; key: string }): SecureContext {
  return createSecureContext({ cert, key, minVersion: "TLSv1.3" });
}
