import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { Certificate } from "../lib/certificate.ts";
import { freePort } from "./free-port.ts";
import { startRedis } from "./redis-server.ts";

export const PASSWORD = "pw";

/** A Redis as config/redis.yaml has it: by TLS, with an administrator on its socket. */
export interface SecureRedis {
  readonly port: number;
  readonly admin: Redis;
  /** Puts a certificate in the place of the one before, as admit and the container beside Redis do. */
  serve(certificate: Pick<Certificate, "certificate" | "key">): Promise<void>;
  stop(): Promise<void>;
}

/** `more` options of its own. */
export async function startSecureRedis(first: Certificate, more: readonly string[] = []): Promise<SecureRedis> {
  const folder = await mkdtemp(join(tmpdir(), "agentic-tls-"));
  const [certificate, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const write = async (one: Pick<Certificate, "certificate" | "key">) => {
    await writeFile(key, one.key);
    await writeFile(certificate, one.certificate);
  };
  await write(first);
  const port = await freePort();
  const tls = ["--tls-port", String(port), "--tls-cert-file", certificate, "--tls-key-file", key];
  const server = await startRedis([...tls, "--tls-auth-clients", "no", ...more]);
  // The password comes once the server is there: what starts it has none.
  const admin = new Redis(server.socket);
  await admin.config("SET", "requirepass", PASSWORD);
  return {
    port,
    admin,
    async serve(one) {
      await write(one);
      await admin.config("SET", "tls-cert-file", certificate);
    },
    async stop() {
      admin.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
