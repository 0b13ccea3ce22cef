import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { issueCertificate } from "../../functions/admit/certificate.ts";
import { writeKubeconfig } from "../../test/integration/kubeconfig.ts";

/**
 * What admit asks the API server for before it listens: its certificate, which is there and long valid, and whose the API server trusts.
 * No cluster has to be there for a start to be measured.
 */
export async function serveAdmissionConfig(folder: string): Promise<{ kubeconfig: string; close(): void }> {
  const certificate = await issueCertificate(["localhost"], new Date(), 90 * 24 * 3_600_000);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const caBundle = base64(`${certificate.ca.trim()}\n`);
  const data = Object.fromEntries(Object.entries(certificate).map(([name, pem]) => [name, base64(pem)]));
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
