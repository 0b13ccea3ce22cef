import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Authority, createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { connectStackSaver } from "../../lib/durable/stack-saver.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectRedis, connectRedisWhenever, storeErrors } from "../../lib/edges/redis.ts";
import { createLog } from "../../lib/log.ts";
import { freePort } from "../free-port.ts";
import { startRedis } from "../redis-server.ts";
import { PASSWORD, type SecureRedis, startSecureRedis } from "../secure-redis.ts";
import { graphOf, runnerOf, SUCCEEDED, stepOf } from "./durable-step.ts";

const DAY_MS = 24 * 3_600_000;
let authority: Authority;
let other: Authority;
let redis: SecureRedis;
const issue = (by: Authority, { now = new Date(), names = ["localhost"] } = {}) =>
  issueCertificate(names, now, DAY_MS, by);
const urlOf = (scheme = "rediss", host = "localhost") => `${scheme}://:${PASSWORD}@${host}:${redis.port}`;

beforeAll(async () => {
  const now = new Date(Date.now() - 9 * DAY_MS);
  [authority, other] = [
    await createAuthority("test", now, 99 * DAY_MS),
    await createAuthority("test", now, 99 * DAY_MS),
  ];
  redis = await startSecureRedis(await issue(authority));
});
afterAll(() => redis.stop());

async function reach(url: string, ca?: string): Promise<string> {
  const client = await connectRedis(url, ca);
  const answer = await client.ping();
  client.disconnect();
  return answer;
}

/** Both ways to connect refuse with the same words, and none of it is the fault of a step. */
async function expectTrouble(what: RegExp, url: string, ca?: string): Promise<void> {
  const trouble = { reason: "StoreUnavailable", countsAsAttempt: false, message: expect.stringMatching(what) };
  const refused = await connectRedis(url, ca).catch((error: unknown) => error);
  expect(refused).toMatchObject(trouble);
  expect(String(refused)).not.toContain(PASSWORD);
  const client = await connectRedisWhenever(url, createLog("test", "silent"), ca);
  onTestFinished(() => client.disconnect());
  await expect(storeErrors(client.get("key"))).rejects.toMatchObject(trouble);
}

describe("a client", () => {
  test("of the right authority is answered, also where it trusts another of the same name", async () => {
    expect(await reach(urlOf(), authority.certificate)).toBe("PONG");
    expect(await reach(urlOf(), `${other.certificate}\n${authority.certificate}`)).toBe("PONG");
  });

  test("of upstream's saver is answered as well", async () => {
    const saver = await connectStackSaver(urlOf(), authority.certificate);
    await saver.end();
  });

  test("of another authority, or of public ones, refuses", async () => {
    await expectTrouble(/none of the authorities in REDIS_CA/, urlOf(), other.certificate);
    await expectTrouble(/signed by no public authority: .*into REDIS_CA/, urlOf());
  });

  test("tells its password to nobody else", async () => {
    const { certificate: cert, key } = await issue(other);
    let heard = "";
    const impostor = createServer({ cert, key }, (socket) => socket.on("data", (data) => (heard += data.toString())));
    impostor.on("tlsClientError", () => undefined);
    await new Promise<void>((resolve) => impostor.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void impostor.close());
    const { port } = impostor.address() as AddressInfo;
    await expectTrouble(/none of the authorities/, `rediss://:${PASSWORD}@localhost:${port}`, authority.certificate);
    expect(heard).toBe("");
  });

  test("that asks for another name refuses", async () => {
    await expectTrouble(
      /its certificate is for another name.*127\.0\.0\.1/,
      urlOf("rediss", "127.0.0.1"),
      authority.certificate,
    );
  });

  test.each([
    ["expired", -2, /has expired: renew it/],
    ["is not valid yet", 2, /not valid yet: the clock/],
  ])("refuses a certificate that %s, and goes on when there is another", async (_what, days, message) => {
    await redis.serve(await issue(authority, { now: new Date(Date.now() + days * DAY_MS) }));
    onTestFinished(async () => redis.serve(await issue(authority)));
    const client = await connectRedisWhenever(urlOf(), createLog("test", "silent"), authority.certificate);
    onTestFinished(() => client.disconnect());
    await expectTrouble(message, urlOf(), authority.certificate);
    await redis.serve(await issue(authority));
    await expect.poll(() => client.ping().catch(() => ""), { timeout: 10_000 }).toBe("PONG");
  });

  test("that was kept out says so no more once it is let in", async () => {
    await redis.serve(await issue(other));
    const client = await connectRedisWhenever(urlOf(), createLog("test", "silent"), authority.certificate);
    onTestFinished(() => client.disconnect());
    await redis.serve(await issue(authority));
    await expect.poll(() => client.ping().catch(() => ""), { timeout: 10_000 }).toBe("PONG");
    await redis.admin.client("PAUSE", 6000, "ALL");
    onTestFinished(async () => void (await redis.admin.client("UNPAUSE")));
    await expect(storeErrors(client.get("key"))).rejects.toThrow(/^Redis does not answer$/);
  });

  test("without TLS gets nothing, and is told", async () => {
    await expectTrouble(/begins with rediss:\/\/, and its authority in REDIS_CA/, urlOf("redis"));
    const socket = connect(redis.port, "localhost");
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.write(`AUTH ${PASSWORD}\r\nPING\r\n`);
    await sleep(500);
    socket.destroy();
    expect(answer).not.toMatch(/OK|PONG/);
  });

  test("by TLS of a server that has none is told", async () => {
    const port = await freePort();
    const plain = await startRedis(["--port", String(port)]);
    onTestFinished(() => plain.stop());
    await expectTrouble(
      /no TLS handshake.*begins with redis:\/\//,
      `rediss://127.0.0.1:${port}`,
      authority.certificate,
    );
  });

  test.each([
    [
      "an authority and no TLS",
      "redis",
      () => authority.certificate,
      /REDIS_CA is set, but REDIS_URL begins with redis:/,
    ],
    ["an authority that is none", "rediss", () => "no PEM", /REDIS_CA is no certificate/],
    [
      "two authorities, one of which is none",
      "rediss",
      () => `${authority.certificate}\n-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----`,
      /REDIS_CA is no certificate/,
    ],
  ])("with %s does not start", async (_what, scheme, ca, message) => {
    const refused = { reason: "InvalidRedisAddress", message: expect.stringMatching(message) };
    await expect(connectRedis(urlOf(scheme), ca())).rejects.toMatchObject(refused);
    await expect(connectRedisWhenever(urlOf(scheme), createLog("test", "silent"), ca())).rejects.toMatchObject(refused);
    await expect(connectStackSaver(urlOf(scheme), ca())).rejects.toMatchObject(refused);
  });
});

describe("a certificate that is renewed", () => {
  test("in mid-step, with all connections broken: no node is repeated, no attempt counted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "agentic-tls-step-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const client = await connectRedis(urlOf(), authority.certificate);
    onTestFinished(() => client.disconnect());
    const ran: string[] = [];
    const renew = async () => {
      await redis.serve(await issue(authority));
      await redis.admin.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    };
    const step = stepOf(
      graphOf({
        one: async () => void ran.push("one"),
        two: async () => {
          ran.push("two");
          await renew();
          return undefined;
        },
        three: async () => {
          ran.push("three");
          return SUCCEEDED;
        },
      }),
      { retryLimit: 0 },
    );
    const run = runnerOf({
      store: new RedisStepStore(client),
      results: createResultStore(createFolderArtifacts(folder)),
    });
    expect(await run(step)).toEqual(SUCCEEDED);
    expect(ran).toEqual(["one", "two", "three"]);
  });

  test("that cannot be used changes nothing", async () => {
    const [one, two] = [await issue(authority), await issue(authority)];
    await expect(redis.serve({ certificate: one.certificate, key: two.key })).rejects.toThrow(/TLS configuration/);
    expect(await reach(urlOf(), authority.certificate)).toBe("PONG");
    await redis.serve(one);
  });
});
