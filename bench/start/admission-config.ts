import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { writeKubeconfig } from "../../test/integration/kubeconfig.ts";

const LIFE_MS = 90 * 24 * 3_600_000;

/**
 * What admit asks the API server for when it starts: certificates, which are there and long valid, and whose the API server trusts. No
 * cluster has to be there for a start to be measured.
 */
export async function serveAdmissionConfig(folder: string): Promise<{ kubeconfig: string; close(): void }> {
  const now = new Date();
  const authority = await createAuthority("bench", now, LIFE_MS);
  const { certificate, key } = await issueCertificate(["localhost"], now, LIFE_MS, authority);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const caBundle = base64(`${authority.certificate.trim()}\n`);
  const kept = { "ca.crt": authority.certificate, "ca.key": authority.key, "tls.crt": certificate, "tls.key": key };
  const data = Object.fromEntries(Object.entries(kept).map(([name, pem]) => [name, base64(pem)]));
  const metadata = { resourceVersion: "1" };
  const server = createServer(({ url = "" }, response) => {
    response.setHeader("content-type", "application/json");
    const webhooks = [{ name: "objects.admit.agentic.dev", clientConfig: { caBundle } }];
    response.end(JSON.stringify(url.includes("/secrets/") ? { metadata, data } : { metadata, webhooks }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const kubeconfig = await writeKubeconfig(folder, (server.address() as AddressInfo).port);
  return { kubeconfig, close: () => void server.close() };
}
