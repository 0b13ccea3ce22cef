import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askRegistry, byDigest } from "../../scripts/deploy/digests.ts";
import { BUILD_MS, built } from "../cluster/built.ts";
import { freePort } from "../free-port.ts";

// Tags become digests at a real registry, and at one that wants a token first, as public ones do.

let registry: ChildProcess;
let host: string;
let front: Server;
let guarded: string;
/** A port that nobody listens on. */
let away: number;
/** Of what the token was asked for. */
let asked: string | undefined;

const digestOf = (content: string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** An image without layers. @returns its digest */
async function push(name: string, comment: string): Promise<string> {
  const config = JSON.stringify({ architecture: "amd64", os: "linux", comment });
  const started = await fetch(`http://${host}/v2/${name}/blobs/uploads/?digest=${digestOf(config)}`, {
    method: "POST",
    body: config,
  });
  expect(started.status).toBe(201);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(config),
      size: Buffer.byteLength(config),
    },
    layers: [],
  });
  const put = await fetch(`http://${host}/v2/${name}/manifests/1.0`, {
    method: "PUT",
    headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: manifest,
  });
  expect(put.status).toBe(201);
  return digestOf(manifest);
}

beforeAll(async () => {
  const port = await freePort();
  registry = spawn(join(await built("registry"), "registry"), ["--port", String(port)], { stdio: "ignore" });
  host = `localhost:${port}`;
  for (let tries = 0; tries < 500; tries++) {
    if ((await fetch(`http://${host}/v2/`).catch(() => undefined))?.ok) break;
    await sleep(20);
  }
  away = await freePort();
  front = createServer((incoming, response) => {
    const { url = "", method, headers } = incoming;
    if (url.startsWith("/token?")) {
      asked = url;
      response.end(JSON.stringify({ token: "given" }));
    } else if (url.includes("/nameless/")) response.end();
    else if (headers.authorization === "Bearer given")
      incoming.pipe(
        request(`http://${host}${url}`, { method, headers: { ...headers, host } }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        }),
      );
    else
      response
        .writeHead(401, {
          "www-authenticate": url.includes("/private/")
            ? 'Basic realm="people"'
            : `Bearer realm="http://${guarded}/token",service="registry",scope="repository:team/app:pull"`,
        })
        .end();
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  guarded = `127.0.0.1:${(front.address() as AddressInfo).port}`;
}, BUILD_MS);
afterAll(async () => {
  front?.close();
  if (registry?.kill()) await once(registry, "exit");
});

describe("a tag", () => {
  test("has the digest of its manifest, and another one when it moves", async () => {
    for (const comment of ["first", "second"]) {
      const digest = await push("team/app", comment);
      expect(await askRegistry(`${host}/team/app:1.0`)).toEqual({ digest });
    }
  });

  test("is asked for with a token where the registry wants one", async () => {
    const digest = await push("team/app", "guarded");
    expect(await askRegistry(`${guarded}/team/app:1.0`)).toEqual({ digest });
    expect(asked).toBe("/token?service=registry&scope=repository%3Ateam%2Fapp%3Apull");
  });

  test.each<[string, () => string, RegExp]>([
    ["that is not there", () => `${host}/team/app:none`, /^its registry answers 404$/],
    ["of an image that is not there", () => `${host}/team/none:1.0`, /^its registry answers 404$/],
    ["whose registry wants a login", () => `${guarded}/private/app:1.0`, /it wants a login/],
    ["whose registry names no digest", () => `${guarded}/nameless/app:1.0`, /^its registry names no sha256$/],
    ["whose registry is away", () => `127.0.0.1:${away}/team/app:1.0`, /does not answer \(.*ECONNREFUSED/],
  ])("%s is not known, and why is said", async (_what, image, why) => {
    expect(await askRegistry(image())).toEqual({ unknown: expect.stringMatching(why) });
  });
});

test("what is deployed names digests, and the tags that could not be resolved", async () => {
  const digest = await push("team/app", "deployed");
  const pod = (...images: string[]) => ({ spec: { containers: images.map((image) => ({ image })) } });
  const said: string[] = [];
  const kept = [`${host}/team/none:2`, `${host}/team/app@sha256:abc`, "dev.local/app:1"];
  const manifests = [pod(`${host}/team/app:1.0`, ...kept), { spec: { image: `${host}/team/app:1.0` } }];
  const pinned = `${host}/team/app@${digest}`;
  expect(await byDigest(manifests, askRegistry, (line) => said.push(line))).toEqual([
    pod(pinned, ...kept),
    { spec: { image: pinned } },
  ]);
  expect(said).toEqual([
    `${host}/team/app:1.0 is ${digest}`,
    `${host}/team/none:2 stays a tag: its registry answers 404`,
  ]);
});
