import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext, createServer, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Certificate, issueCertificate } from "../../../functions/admit/certificate.ts";
import { keepCertificate } from "../../../functions/admit/keep-certificate.ts";
import type { AdmissionConfig } from "../../../lib/edges/admission-config.ts";

const DAY_MS = 24 * 3_600_000;
const NAME = "admit.agentic-system.svc";
const T0 = Date.now();

describe("the certificate", () => {
  /** @returns why a client that trusts `ca` does not connect; empty: it does */
  async function connects({ certificate, key }: Certificate, ca: string, servername = NAME): Promise<string> {
    const server = createServer({
      SNICallback: (_, done) => done(null, createSecureContext({ cert: certificate, key })),
    });
    server.on("secureConnection", (socket: TLSSocket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve) => {
      const asked = request({ host: "127.0.0.1", port, servername, ca, agent: false }, () => resolve(""));
      asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      asked.end();
    });
  }

  test("is believed for its name, by whoever trusts its authority", async () => {
    const one = await issueCertificate([NAME], new Date(), DAY_MS);
    const other = await issueCertificate([NAME], new Date(), DAY_MS);
    expect(await connects(one, one.ca)).toBe("");
    expect(await connects(one, other.ca)).not.toBe("");
    expect(await connects(one, `${other.ca}\n${one.ca}`)).toBe("");
    expect(await connects(one, one.ca, "other.agentic-system.svc")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  test("says its names and its life", async () => {
    const { certificate, ca } = await issueCertificate([NAME, "admit"], new Date(T0), DAY_MS);
    const read = new X509Certificate(certificate);
    expect(read.subjectAltName).toBe(`DNS:${NAME}, DNS:admit`);
    expect(read.ca).toBe(false);
    expect(Math.abs(Date.parse(read.validTo) - (T0 + DAY_MS))).toBeLessThan(1000);
    expect(new X509Certificate(ca).ca).toBe(true);
  });
});

interface World {
  readonly config: AdmissionConfig;
  readonly at: { now: number };
  data: Record<string, string>;
  bundle: string;
  writes: number;
  /** Runs once, before the next write of the Secret. */
  before?: (() => void) | undefined;
}

function createWorld(): World {
  const world: World = {
    at: { now: T0 },
    data: {},
    bundle: "",
    writes: 0,
    config: {
      readSecret: async () => ({ data: world.data, resourceVersion: String(world.writes) }),
      async writeSecret(data, resourceVersion) {
        world.before?.();
        world.before = undefined;
        if (resourceVersion !== String(world.writes)) return "conflict";
        world.data = { ...world.data, ...data };
        world.writes++;
        return "written";
      },
      trust: async (bundle) => {
        world.bundle = bundle;
      },
    },
  };
  return world;
}

const keep = ({ config, at }: World) =>
  keepCertificate({
    config,
    issue: (now) => issueCertificate([NAME], now, 90 * DAY_MS),
    now: () => new Date(at.now),
    log: pino({ level: "silent" }),
  });

describe("keeping it", () => {
  test("is made once, and trusted", async () => {
    const world = createWorld();
    const first = await keep(world);
    expect(world.bundle).toBe(`${first.ca.trim()}\n`);
    expect(await keep(world)).toEqual(first);
    expect(world.writes).toBe(1);
  });

  test("is made anew when a third of its life is left, and the one before stays trusted", async () => {
    const world = createWorld();
    const first = await keep(world);
    world.at.now = T0 + 59 * DAY_MS;
    expect(await keep(world)).toEqual(first);
    world.at.now = T0 + 61 * DAY_MS;
    const second = await keep(world);
    expect(second.certificate).not.toBe(first.certificate);
    expect(world.bundle).toBe(`${second.ca.trim()}\n${first.ca.trim()}\n`);
    expect(await keep(world)).toEqual(second);
  });

  test("of two instances that find it due, one makes it and both serve it", async () => {
    const world = createWorld();
    const other = await issueCertificate([NAME], new Date(T0), 90 * DAY_MS);
    world.before = () => {
      world.data = { ...other };
      world.writes++;
    };
    expect(await keep(world)).toEqual(other);
    expect(world.bundle).toBe(`${other.ca.trim()}\n`);
  });

  test("a Secret that somebody spoilt is replaced", async () => {
    const one = await issueCertificate([NAME], new Date(T0), 90 * DAY_MS);
    const other = await issueCertificate([NAME], new Date(T0), 90 * DAY_MS);
    for (const spoilt of [
      { ...one, key: other.key },
      { ...one, ca: other.ca },
      { ...one, certificate: "no" },
    ]) {
      const world = createWorld();
      world.data = spoilt;
      const made = await keep(world);
      expect([one.certificate, other.certificate]).not.toContain(made.certificate);
    }
  });

  test("an instance that died before the API server was told: the next tells it", async () => {
    const world = createWorld();
    const first = await keep(world);
    world.bundle = "";
    expect(await keep(world)).toEqual(first);
    expect(world.bundle).toBe(`${first.ca.trim()}\n`);
  });
});
