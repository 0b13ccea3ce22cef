import { createSecureContext, type SecureContext } from "node:tls";
import { isConverted } from "./crd/conversion.ts";
import { KINDS } from "./crd/kinds.ts";
import { SHARED_NAMESPACE } from "./engine/freeze.ts";
import { createApp } from "./functions/admit/index.ts";
import { keepCertificate } from "./functions/admit/keep-certificate.ts";
import { keepRedisCertificate } from "./functions/admit/keep-redis-certificate.ts";
import type { Config } from "./lib/config.ts";
import { connectSecret } from "./lib/edges/kept-secret.ts";
import { connectKube } from "./lib/edges/kube.ts";
import { kubeConfig } from "./lib/edges/kube-calls.ts";
import { licenceFile } from "./lib/edges/licence-file.ts";
import { connectConversionTrust, connectWebhookTrust } from "./lib/edges/webhook-trust.ts";
import type { Logger } from "./lib/log.ts";
import { createQuotas } from "./lib/quota/quotas.ts";
import { serve } from "./lib/serve.ts";
import type { Telemetry } from "./lib/telemetry/telemetry.ts";

/** As config/ names the Services. */
const SERVED_AS = ["admit.agentic-system.svc", "admit.agentic-system.svc.cluster.local"];
const REDIS_SERVED_AS = ["redis.agentic-system.svc.cluster.local", "redis.agentic-system.svc"];
const LIFE_MS = 90 * 24 * 3_600_000;
/** Redis waits for its first certificate; otherwise each look reads three Secrets and changes nothing. */
const LOOK_MS = 30_000;
/** The API server waits three seconds for an answer, and the answer for the API server. */
const CALL_TIMEOUT_MS = 2000;

/** The admission webhook, by TLS, with a certificate that renews itself, as does that of Redis. Ends as `serve` does. */
export async function runAdmit(
  config: Config,
  log: Logger,
  draining: AbortController,
  telemetry: Telemetry,
): Promise<void> {
  const cluster = kubeConfig();
  const secret = (name: string) => connectSecret(cluster, { namespace: SHARED_NAMESPACE, name });
  const now = () => new Date();
  const trustAdmission = connectWebhookTrust(cluster, "agentic-admit");
  const trustConversion = connectConversionTrust(
    cluster,
    KINDS.filter(({ kind }) => config.CONVERTS && isConverted(kind)).map(({ plural }) => `${plural}.agentic.dev`),
  );
  // Needed once in two months: an ordinary start does not load it.
  const issuing = () => import("./lib/certificate.ts");
  const own = {
    secret: secret("agentic-admit-tls"),
    issue: async (at: Date) => {
      const { createAuthority, issueCertificate } = await issuing();
      // The authority's key is forgotten: it signs nothing else.
      return issueCertificate(SERVED_AS, at, LIFE_MS, await createAuthority("agentic-admit", at, LIFE_MS));
    },
    trust: async (bundle: string) => {
      await trustAdmission(bundle);
      await trustConversion(bundle);
    },
    now,
    log,
  };
  const ofRedis: Parameters<typeof keepRedisCertificate>[0] = {
    secret: secret("agentic-redis-tls"),
    authority: secret("agentic-redis-ca"),
    issue: async (at, authority) => (await issuing()).issueCertificate(REDIS_SERVED_AS, at, LIFE_MS, authority),
    now,
    log,
  };
  const kube = connectKube(kubeConfig({ timeoutMs: CALL_TIMEOUT_MS }));
  const app = createApp({
    kube,
    quotas: createQuotas(kube.configMaps, licenceFile(config.LICENCE_FILE, config.LICENCE_KEYS), now),
    ...(config.DEFAULT_PIPELINE === undefined ? {} : { defaultPipeline: config.DEFAULT_PIPELINE }),
    now,
    log,
    draining: draining.signal,
  });
  let current = contextOf(await keepCertificate(own));
  const look = () => {
    keepCertificate(own).then(
      (kept) => {
        current = contextOf(kept);
      },
      (error: unknown) => log.warn({ err: error }, "certificate not looked at; the one that is served stays"),
    );
  };
  const lookAtRedis = () => {
    keepRedisCertificate(ofRedis).catch((error: unknown) =>
      log.warn({ err: error }, "certificate of Redis not looked at; the one that it has stays"),
    );
  };
  lookAtRedis();
  const looks = [setInterval(look, LOOK_MS), setInterval(lookAtRedis, LOOK_MS)];
  const { HOST: host, PORT: port } = config;
  await serve(app, { host, port, log, draining, telemetry, tls: () => current });
  for (const timer of looks) clearInterval(timer);
}

function contextOf({ certificate: cert, key }: { certificate: string; key: string }): SecureContext {
  return createSecureContext({ cert, key, minVersion: "TLSv1.3" });
}
