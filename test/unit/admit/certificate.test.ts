import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, createServer, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { keepCertificate } from "../../../functions/admit/keep-certificate.ts";
import { keepRedisCertificate } from "../../../functions/admit/keep-redis-certificate.ts";
import { type Authority, type Certificate, createAuthority, issueCertificate } from "../../../lib/certificate.ts";
import type { KeptSecret } from "../../../lib/edges/kept-secret.ts";

const DAY_MS = 24 * 3_600_000;
const NAME = "admit.agentic-system.svc";
const T0 = Date.now();

/** By an authority of its own. */
async function issueAlone(now = new Date(T0), lifeMs = 90 * DAY_MS, names = [NAME]): Promise<Certificate> {
  return issueCertificate(names, now, lifeMs, await createAuthority("test", now, lifeMs));
}
const dataOf = ({ ca, certificate, key }: Certificate): Record<string, string> => ({
  "ca.crt": ca,
  "tls.crt": certificate,
  "tls.key": key,
});

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
    const [one, other] = [await issueAlone(), await issueAlone()];
    expect(await connects(one, one.ca)).toBe("");
    expect(await connects(one, other.ca)).not.toBe("");
    expect(await connects(one, `${other.ca}\n${one.ca}`)).toBe("");
    expect(await connects(one, one.ca, "other.agentic-system.svc")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  test("says its names and its life", async () => {
    const { certificate, ca } = await issueAlone(new Date(T0), DAY_MS, [NAME, "admit"]);
    const read = new X509Certificate(certificate);
    expect(read.subjectAltName).toBe(`DNS:${NAME}, DNS:admit`);
    expect(read.ca).toBe(false);
    expect(Math.abs(Date.parse(read.validTo) - (T0 + DAY_MS))).toBeLessThan(1000);
    expect(new X509Certificate(ca).ca).toBe(true);
  });
});

interface KeptData {
  readonly secret: KeptSecret;
  data: Record<string, string>;
  writes: number;
  /** Runs once, before the next write. */
  before?: (() => void) | undefined;
}

function keptData(data: Record<string, string> = {}): KeptData {
  const kept: KeptData = {
    data,
    writes: 0,
    secret: {
      name: "kept",
      read: async () => ({ data: kept.data, resourceVersion: String(kept.writes) }),
      async write(changed, resourceVersion) {
        kept.before?.();
        kept.before = undefined;
        if (resourceVersion !== String(kept.writes)) return "conflict";
        kept.data = { ...kept.data, ...changed };
        kept.writes++;
        return "written";
      },
    },
  };
  return kept;
}
const missing: KeptSecret = { name: "missing", read: async () => undefined, write: async () => "conflict" };

interface World {
  readonly kept: KeptData;
  readonly at: { now: number };
  bundle: string;
}
const createWorld = (data: Record<string, string> = {}): World => ({
  kept: keptData(data),
  at: { now: T0 },
  bundle: "",
});

const keep = (world: World) =>
  keepCertificate({
    secret: world.kept.secret,
    issue: issueAlone,
    trust: async (bundle) => {
      world.bundle = bundle;
    },
    now: () => new Date(world.at.now),
    log: pino({ level: "silent" }),
  });

describe("keeping it", () => {
  test("is made once, and trusted", async () => {
    const world = createWorld();
    const first = await keep(world);
    expect(world.bundle).toBe(`${first.ca.trim()}\n`);
    expect(await keep(world)).toEqual(first);
    expect(world.kept.writes).toBe(1);
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
    const other = await issueAlone();
    world.kept.before = () => {
      world.kept.data = dataOf(other);
      world.kept.writes++;
    };
    expect(await keep(world)).toEqual(other);
    expect(world.bundle).toBe(`${other.ca.trim()}\n`);
  });

  test("a Secret that somebody spoilt is replaced", async () => {
    const [one, other] = [await issueAlone(), await issueAlone()];
    for (const spoilt of [
      { ...one, key: other.key },
      { ...one, ca: other.ca },
      { ...one, certificate: "no" },
    ]) {
      const made = await keep(createWorld(dataOf(spoilt)));
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

  test("without a Secret to keep it in, that is said", async () => {
    const deps = { secret: missing, issue: issueAlone, now: () => new Date(T0), log: pino({ level: "silent" }) };
    await expect(keepCertificate(deps)).rejects.toMatchObject({ reason: "SecretMissing" });
  });
});

describe("that of Redis", () => {
  const YEARS = 10 * 365 * DAY_MS;
  const authorityOf = (one: Authority, ...more: Authority[]): Record<string, string> => ({
    "ca.crt": [one, ...more].map(({ certificate }) => certificate).join("\n"),
    "ca.key": one.key,
  });
  const newAuthority = () => createAuthority("test", new Date(T0), YEARS);

  function keepRedis(secret: KeptSecret, authority: KeptSecret, { now = T0, warned = [] as string[] } = {}) {
    return keepRedisCertificate({
      secret,
      authority,
      issue: (at, by) => issueCertificate(["redis"], at, 90 * DAY_MS, by),
      now: () => new Date(now),
      log: pino({ level: "warn" }, { write: (line) => void warned.push(JSON.parse(line).msg) }),
    });
  }

  test("is signed by the authority that clients trust, and so is the next", async () => {
    const authority = await newAuthority();
    const [kept, ca] = [keptData(), keptData(authorityOf(authority))];
    await keepRedis(kept.secret, ca.secret);
    const first = kept.data["tls.crt"] ?? "";
    const signedBy = (pem: string, by: Authority) =>
      new X509Certificate(pem).verify(new X509Certificate(by.certificate).publicKey);
    expect(signedBy(first, authority)).toBe(true);
    await keepRedis(kept.secret, ca.secret, { now: T0 + 59 * DAY_MS });
    expect(kept.data["tls.crt"]).toBe(first);
    await keepRedis(kept.secret, ca.secret, { now: T0 + 61 * DAY_MS });
    expect(kept.data["tls.crt"]).not.toBe(first);
    expect(signedBy(kept.data["tls.crt"] ?? "", authority)).toBe(true);
    expect(ca.writes).toBe(0);
  });

  test("while authorities are replaced, the one of the key signs, and what the other signed is replaced", async () => {
    const [old, next] = [await newAuthority(), await newAuthority()];
    const kept = keptData();
    await keepRedis(kept.secret, keptData(authorityOf(old, next)).secret);
    expect(kept.data["ca.crt"]).toBe(old.certificate.trim());
    const both = { ...authorityOf(old, next), "ca.key": next.key };
    await keepRedis(kept.secret, keptData(both).secret);
    await keepRedis(kept.secret, keptData(both).secret);
    expect(kept.data["ca.crt"]).toBe(next.certificate.trim());
    expect(kept.writes).toBe(2);
  });

  test("is nobody's business where there is no such Redis, or its certificate comes from elsewhere", async () => {
    await keepRedis(missing, keptData(authorityOf(await newAuthority())).secret);
    const from = dataOf(await issueAlone());
    for (const authority of [missing, keptData({ "ca.crt": "theirs" }).secret]) {
      const elsewhere = keptData(from);
      await keepRedis(elsewhere.secret, authority);
      expect(elsewhere.data).toBe(from);
    }
  });

  test("an authority that cannot sign is said, and what is served stays", async () => {
    const [one, other] = [await newAuthority(), await newAuthority()];
    const data = dataOf(await issueAlone());
    const refusals: [Record<string, string>, string, RegExp, number?][] = [
      [{ ...authorityOf(one), "ca.key": other.key }, "UnusableAuthority", /none of the certificates/],
      [{ "ca.crt": "", "ca.key": one.key }, "UnusableAuthority", /none of the certificates/],
      [{ ...authorityOf(one), "ca.key": "no" }, "UnusableAuthority", /no PEM/],
      [authorityOf(one), "UnusableAuthority", /has expired/, T0 + YEARS + DAY_MS],
      [ofAnotherCurve(), "UnusableAuthority", /P-256/],
    ];
    for (const [authority, reason, message, now] of refusals) {
      const kept = keptData(data);
      await expect(keepRedis(kept.secret, keptData(authority).secret, now ? { now } : {})).rejects.toMatchObject({
        reason,
        message: expect.stringMatching(message),
      });
      expect(kept.data).toBe(data);
    }
    await expect(keepRedis(keptData().secret, missing)).rejects.toMatchObject({ reason: "AuthorityMissing" });
  });

  test("that the authority ends is said two years before, with each renewal", async () => {
    const ca = keptData(authorityOf(await newAuthority()));
    for (const [now, said] of [
      [T0, 0],
      [T0 + YEARS - 700 * DAY_MS, 1],
    ] as const) {
      const warned: string[] = [];
      await keepRedis(keptData().secret, ca.secret, { now, warned });
      expect(warned.filter((line) => /the authority ends/.test(line))).toHaveLength(said);
    }
  });
});

/** As somebody might make one by openssl: on the curve P-384. */
function ofAnotherCurve(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "agentic-authority-"));
  const [key, certificate] = [join(folder, "ca.key"), join(folder, "ca.crt")];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-days", "9", "-subj", "/CN=test"];
  execFileSync("openssl", ["req", "-x509", ...made, "-keyout", key, "-out", certificate], { stdio: "ignore" });
  return { "ca.crt": readFileSync(certificate, "utf8"), "ca.key": readFileSync(key, "utf8") };
}
