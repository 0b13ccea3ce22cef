import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { AwsClient } from "aws4fetch";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { artifactKey } from "../../engine/artifact-key.ts";
import { sha256 } from "../../engine/canonical.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { readBuckets } from "../../lib/edges/artifacts/bucket.ts";
import { type Artifacts, openArtifacts } from "../../lib/edges/artifacts.ts";
import { createStoreLogins } from "../../lib/edges/tenant-login/versitygw.ts";
import { type TenantLogins, tenantPassword } from "../../lib/edges/tenant-login.ts";
import { attacked } from "../attempts.ts";
import { BUILD_MS } from "../cluster/built.ts";
import { formUpload, type RawAnswer, type RawLogin, type RawRequest, sendRaw } from "../s3-request.ts";
import { startStore, type TestStore } from "../store-server.ts";

const KEY = "k".repeat(64);
const URL_OF_ALL = "s3://agentic-{namespace}";
const buckets = readBuckets(URL_OF_ALL);

let store: TestStore;
let logins: TenantLogins;
let all: Artifacts;
beforeAll(async () => {
  store = await startStore();
  logins = loginsBy(KEY);
  all = await openArtifacts({ url: URL_OF_ALL, s3: store.s3 });
}, BUILD_MS);
afterAll(() => store.stop());

const loginsBy = (key: string): TenantLogins =>
  createStoreLogins({ key, buckets, s3: store.s3, adminEndpoint: store.adminEndpoint });

function loginOf(namespace: string, of = logins): RawLogin {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = of.settingsFor(
    namespace,
    {
      AWS_ACCESS_KEY_ID: "shared",
      AWS_SECRET_ACCESS_KEY: "shared",
    },
  );
  return { accessKeyId, secretAccessKey };
}

/** What a namespace's agents reach their artifacts by. */
const artifactsOf = (namespace: string, of = logins): Promise<Artifacts> =>
  openArtifacts({ url: URL_OF_ALL, s3: { ...store.s3, ...loginOf(namespace, of) } });

const workload = (namespace: string, uid = "uid") => ({ namespace, uid });
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const usersFile = (): Promise<string> => readFile(join(store.folder, "../accounts/users.json"), "utf8");

describe("a tenant's login", () => {
  test("is all that an agent needs: its artifacts, large ones too, and its results", async () => {
    await logins.ensure("team-a");
    const artifacts = await artifactsOf("team-a");
    for (const bytes of ["", "x", "x".repeat(3_000_000)]) {
      const key = await artifacts.put(workload("team-a"), bytes, "txt");
      expect(await artifacts.put(workload("team-a"), bytes, "txt")).toBe(key);
      expect(textOf(await artifacts.get(workload("team-a"), key))).toBe(bytes);
      // Reconcile, approve and shared agents read it, and the other way round.
      expect(textOf(await all.get(workload("team-a"), key))).toBe(bytes);
    }
    const key = await all.put(workload("team-a"), "of a shared agent", "txt");
    expect(textOf(await artifacts.get(workload("team-a"), key))).toBe("of a shared agent");
    const results = createResultStore(artifacts);
    const result = {
      outcome: "succeeded",
      artifacts: { key },
      usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 },
    } as const;
    const digest = await results.put(workload("team-a"), result);
    expect(await createResultStore(all).get(workload("team-a"), digest)).toEqual(result);
    await expect(
      artifacts.get(workload("team-a"), artifactKey(workload("team-a"), sha256("no"), "txt")),
    ).rejects.toMatchObject({
      reason: "ArtifactMissing",
    });
  });

  test("works for the longest name of a namespace, and for one of one letter", async () => {
    for (const namespace of ["n".repeat(63), "z"]) {
      await logins.ensure(namespace);
      const artifacts = await artifactsOf(namespace);
      const key = await artifacts.put(workload(namespace), "x", "txt");
      expect(textOf(await all.get(workload(namespace), key))).toBe("x");
    }
  });

  test("drops nothing: reconcile drops a workload's artifacts", async () => {
    await logins.ensure("team-a");
    const artifacts = await artifactsOf("team-a");
    const key = await artifacts.put(workload("team-a", "dropped"), "x", "txt");
    await expect(artifacts.drop(workload("team-a", "dropped"))).rejects.toMatchObject({ reason: "StoreRefused" });
    await all.drop(workload("team-a", "dropped"));
    await expect(artifacts.get(workload("team-a", "dropped"), key)).rejects.toMatchObject({
      reason: "ArtifactMissing",
    });
    // The bucket stays, and with it what the login may do.
    await artifacts.put(workload("team-a", "dropped"), "x", "txt");
  });

  test("takes the place of the shared one, and of no other setting", () => {
    const shared = { AWS_ACCESS_KEY_ID: "shared", AWS_SECRET_ACCESS_KEY: "shared", ARTIFACTS_URL: URL_OF_ALL };
    const { AWS_SECRET_ACCESS_KEY: secret, ...settings } = logins.settingsFor("team-a", shared);
    expect(settings).toEqual({ AWS_ACCESS_KEY_ID: "agentic-tenant-team-a", ARTIFACTS_URL: URL_OF_ALL });
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(secret).not.toBe(loginOf("team-b").secretAccessKey);
    expect(secret).not.toBe(tenantPassword(KEY, "redis", "team-a"));
    expect(secret).not.toBe(loginOf("team-a", loginsBy("x".repeat(64))).secretAccessKey);
  });

  test("is usable at once when five instances make it together, and is then left alone", async () => {
    const namespaces = ["one", "two", "three", "four"];
    const makers = Array.from({ length: 5 }, () => loginsBy(KEY));
    await Promise.all(
      namespaces.flatMap((namespace) =>
        makers.map(async (maker) => {
          await maker.ensure(namespace);
          await (await artifactsOf(namespace)).put(workload(namespace), "x", "txt");
        }),
      ),
    );
    const before = await usersFile();
    for (const namespace of namespaces) expect(before).toContain(`"agentic-tenant-${namespace}"`);
    for (const namespace of namespaces) await logins.ensure(namespace);
    expect(await usersFile()).toBe(before);
  });

  test("outlives the store's process", async () => {
    for (const namespace of ["team-a", "team-b"]) await logins.ensure(namespace);
    const key = await (await artifactsOf("team-a")).put(workload("team-a"), "kept", "txt");
    await store.kill();
    await store.restart();
    expect(textOf(await (await artifactsOf("team-a")).get(workload("team-a"), key))).toBe("kept");
    await expect(
      (await artifactsOf("team-a")).get(workload("team-b"), artifactKey(workload("team-b"), sha256("x"), "txt")),
    ).rejects.toMatchObject({
      reason: "StoreRefused",
    });
  });

  test("an administrator of another name has all that the one before had, and tenants notice nothing", async () => {
    await logins.ensure("team-a");
    const artifacts = await artifactsOf("team-a");
    const key = await artifacts.put(workload("team-a"), "of before", "txt");
    const s3 = { ...store.s3, accessKeyId: "another", secretAccessKey: "another-secret-of-the-tests" };
    await store.kill();
    await store.restart(s3);
    try {
      await expect(all.get(workload("team-a"), key)).rejects.toMatchObject({ reason: "ArtifactStoreUnavailable" });
      const others = createStoreLogins({ key: KEY, buckets, s3, adminEndpoint: store.adminEndpoint });
      const theirs = await openArtifacts({ url: URL_OF_ALL, s3 });
      expect(textOf(await theirs.get(workload("team-a"), key))).toBe("of before");
      expect(textOf(await artifacts.get(workload("team-a"), key))).toBe("of before");
      for (const namespace of ["team-a", "team-new"]) {
        await others.ensure(namespace);
        const own = await artifactsOf(namespace, others);
        const kept = await own.put(workload(namespace), "of after", "txt");
        expect(textOf(await theirs.get(workload(namespace), kept))).toBe("of after");
      }
      await theirs.drop(workload("team-a"));
      await expect(artifacts.get(workload("team-a"), key)).rejects.toMatchObject({ reason: "ArtifactMissing" });
    } finally {
      await store.kill();
      await store.restart();
    }
  });

  test("another key makes another password: the old one opens nothing from then on", async () => {
    await logins.ensure("rotated");
    const before = await artifactsOf("rotated");
    await before.put(workload("rotated"), "x", "txt");
    const others = loginsBy("o".repeat(64));
    await others.ensure("rotated");
    // Whoever still has it is sent the step again, with the next one.
    await expect(before.put(workload("rotated"), "y", "txt")).rejects.toMatchObject({
      reason: "ArtifactStoreUnavailable",
      countsAsAttempt: false,
    });
    const after = await artifactsOf("rotated", others);
    expect(textOf(await after.get(workload("rotated"), await after.put(workload("rotated"), "x", "txt")))).toBe("x");
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      "another password, and more rights",
      () => admin("/update-user", "access=agentic-tenant-astray", "<P><Secret>other</Secret><Role>admin</Role></P>"),
    ],
    ["no account", () => admin("/delete-user", "access=agentic-tenant-astray")],
    ["no policy", () => asRoot({ method: "DELETE", path: "/agentic-astray", query: "policy=" })],
    ["no bucket", () => asRoot({ method: "DELETE", path: "/agentic-astray" })],
    [
      "a policy that lets it do more",
      () => {
        const body = policy("agentic-tenant-astray", "agentic-astray");
        return asRoot({ method: "PUT", path: "/agentic-astray", query: "policy=", body });
      },
    ],
  ])("that has %s is put right", async (_what, spoil) => {
    const asTenant = (method: string, path: string, endpoint = store.s3.endpoint) =>
      sendRaw(endpoint, { method, path }, loginOf("astray"));
    await logins.ensure("astray");
    expect(await spoil()).toMatchObject({ code: undefined });
    await logins.ensure("astray");
    expect((await asTenant("GET", "/agentic-astray/astray/x")).code).toBe("NoSuchKey");
    expect((await asTenant("DELETE", "/agentic-astray/astray/x")).code).toBe("AccessDenied");
    expect((await asTenant("PATCH", "/list-users", store.adminEndpoint)).code).toBe("XAdminAccessDenied");
  });

  test.each([
    ["as client libraries send it", ", "],
    // versitygw would cache the account under a name that lies in the request's memory, and not find it when it is deleted (ADR 26).
    ["without spaces in its header", ","],
  ])("is closed when it is removed, %s", async (_how, between) => {
    for (const namespace of ["leaves", "remain"]) await logins.ensure(namespace);
    await store.kill();
    await store.restart();
    const aws = (namespace: string) => {
      const { accessKeyId, secretAccessKey } = loginOf(namespace);
      return new AwsClient({ accessKeyId, secretAccessKey, region: "us-east-1", service: "s3" });
    };
    const get = async (namespace: string): Promise<number> => {
      const url = `${store.s3.endpoint}/agentic-${namespace}/${namespace}/x`;
      const { headers } = await aws(namespace).sign(url, { headers: { "x-amz-content-sha256": sha256("") } });
      headers.set("authorization", (headers.get("authorization") ?? "").replaceAll(", ", between));
      return (await fetch(url, { headers })).status;
    };
    for (let i = 0; i < 3; i++) expect([await get("leaves"), await get("remain")]).toEqual([404, 404]);
    await logins.remove("leaves");
    expect([await get("leaves"), await get("remain")]).toEqual([403, 404]);
    expect(await usersFile()).not.toContain("agentic-tenant-leaves");
    await logins.remove("leaves");
    await logins.ensure("leaves");
    expect(await get("leaves")).toBe(404);
  });
});

/** Some requests are judged only with it. */
const withMd5 = (raw: RawRequest): RawRequest =>
  raw.body === undefined
    ? raw
    : { ...raw, headers: { ...raw.headers, "content-md5": createHash("md5").update(raw.body).digest("base64") } };

const asRoot = (raw: RawRequest): Promise<RawAnswer> => sendRaw(store.s3.endpoint, raw, store.s3);
const admin = (path: string, query: string, body = ""): Promise<RawAnswer> =>
  sendRaw(store.adminEndpoint, { method: "PATCH", path, query, body }, store.s3);

/** All rights on a bucket. */
const policy = (user: string, bucket: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: user === "*" ? "*" : { AWS: [user] },
        Action: "s3:*",
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  });

describe("team-a against others, whose artifacts are there", () => {
  const SECRET = "what only they may read";
  const FILE = `${sha256(SECRET)}.txt`;
  /** One beside it, one that its name begins with, one whose name begins with its, and where shared agents are. */
  const OTHERS = ["team-b", "team", "team-a-b", "agentic-system"];
  const pathOf = (namespace: string, file = FILE): string => `/agentic-${namespace}/${namespace}/uid/${file}`;
  const OWN = pathOf("team-a", "mine.txt");

  beforeEach(async () => {
    for (const namespace of ["team-a", "team-b", "team", "team-a-b"]) await logins.ensure(namespace);
    for (const namespace of OTHERS) await all.put(workload(namespace), SECRET, "txt");
  });

  /** All files but those that begin with its own namespace, accounts, and what the store says of each bucket. */
  async function world(): Promise<unknown> {
    const own = [join(store.folder, "agentic-team-a/team-a/"), join(store.folder, ".vgwlocks/")];
    const files = (await readdir(store.folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((file) => !own.some((folder) => file.startsWith(folder)))
      .toSorted();
    const settings = ["policy", "acl", "tagging", "versioning", "cors", "ownershipControls", "object-lock", "website"];
    const said = ["team-a", ...OTHERS].flatMap((namespace) =>
      settings.map(async (of) => {
        const { status, code, text } = await asRoot({ method: "GET", path: `/agentic-${namespace}`, query: `${of}=` });
        return [namespace, of, status, code ?? text];
      }),
    );
    const contents = files.map(async (file) => [file, sha256(await readFile(file))]);
    const uploads = ["team-a", ...OTHERS].map(async (namespace) => {
      const { text } = await asRoot({ method: "GET", path: `/agentic-${namespace}`, query: "uploads=" });
      return [...text.matchAll(/<UploadId>([^<]+)/g)].map(([, id]) => id);
    });
    return Promise.all([usersFile(), Promise.all(contents), Promise.all(said), Promise.all(uploads)]);
  }

  const XML = "http://s3.amazonaws.com/doc/2006-03-01/";
  const tags = `<Tagging xmlns="${XML}"><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>`;
  const cors = `<CORSConfiguration xmlns="${XML}"><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`;

  /** On an object of somebody else's. */
  const onObject = (namespace: string): [string, RawRequest][] => {
    const path = pathOf(namespace);
    return [
      ["GET", { method: "GET", path }],
      ["GET of a range", { method: "GET", path, headers: { range: "bytes=0-3" } }],
      ["HEAD", { method: "HEAD", path }],
      ["PUT over it", { method: "PUT", path, body: "mine" }],
      ["PUT beside it", { method: "PUT", path: pathOf(namespace, "new.txt"), body: "mine" }],
      ["PUT of a folder", { method: "PUT", path: pathOf(namespace, "new/") }],
      ["DELETE", { method: "DELETE", path }],
      ["GET tagging", { method: "GET", path, query: "tagging=" }],
      ["PUT tagging", { method: "PUT", path, query: "tagging=", body: tags }],
      ["GET acl", { method: "GET", path, query: "acl=" }],
      ["PUT acl", { method: "PUT", path, query: "acl=", headers: { "x-amz-acl": "public-read" } }],
      ["GET attributes", { method: "GET", path, query: "attributes=", headers: { "x-amz-object-attributes": "ETag" } }],
      ["GET a version", { method: "GET", path, query: "versionId=null" }],
      ["begin an upload", { method: "POST", path, query: "uploads=" }],
      ["PUT a part", { method: "PUT", path, query: "partNumber=1&uploadId=x", body: "mine" }],
      ["list parts", { method: "GET", path, query: "uploadId=x" }],
      ["complete an upload", { method: "POST", path, query: "uploadId=x", body: "<CompleteMultipartUpload/>" }],
      ["abort an upload", { method: "DELETE", path, query: "uploadId=x" }],
      ["SELECT", { method: "POST", path, query: "select=&select-type=2", body: "<SelectObjectContentRequest/>" }],
      ["restore", { method: "POST", path, query: "restore=", body: "<RestoreRequest/>" }],
      ["legal hold", { method: "PUT", path, query: "legal-hold=", body: "<LegalHold><Status>ON</Status></LegalHold>" }],
      ["retention", { method: "GET", path, query: "retention=" }],
      ["copy it to mine", { method: "PUT", path: OWN, headers: { "x-amz-copy-source": path } }],
      [
        "copy it to mine, encoded",
        { method: "PUT", path: OWN, headers: { "x-amz-copy-source": encodeURIComponent(path.slice(1)) } },
      ],
      ["copy mine over it", { method: "PUT", path, headers: { "x-amz-copy-source": OWN } }],
    ];
  };

  /** On a bucket, that of its own namespace included: it is no administrator there. */
  const onBucket = (namespace: string): [string, RawRequest][] => {
    const path = `/agentic-${namespace}`;
    return [
      ["HEAD", { method: "HEAD", path }],
      ["list", { method: "GET", path }],
      ["list v2", { method: "GET", path, query: "list-type=2" }],
      ["list with a prefix", { method: "GET", path, query: `list-type=2&prefix=${namespace}%2F` }],
      ["list with my prefix", { method: "GET", path, query: "list-type=2&prefix=team-a%2F" }],
      ["list versions", { method: "GET", path, query: "versions=" }],
      ["list uploads", { method: "GET", path, query: "uploads=" }],
      ["location", { method: "GET", path, query: "location=" }],
      ["DELETE", { method: "DELETE", path }],
      ["create", { method: "PUT", path }],
      ["create as its owner", { method: "PUT", path, headers: { "x-vgw-owner": "agentic-tenant-team-a" } }],
      ["GET policy", { method: "GET", path, query: "policy=" }],
      ["GET policyStatus", { method: "GET", path, query: "policyStatus=" }],
      [
        "PUT policy",
        { method: "PUT", path, query: "policy=", body: policy("agentic-tenant-team-a", `agentic-${namespace}`) },
      ],
      ["PUT policy for all", { method: "PUT", path, query: "policy=", body: policy("*", `agentic-${namespace}`) }],
      ["DELETE policy", { method: "DELETE", path, query: "policy=" }],
      ["GET acl", { method: "GET", path, query: "acl=" }],
      [
        "PUT acl",
        { method: "PUT", path, query: "acl=", headers: { "x-amz-grant-full-control": "agentic-tenant-team-a" } },
      ],
      ["PUT acl public", { method: "PUT", path, query: "acl=", headers: { "x-amz-acl": "public-read-write" } }],
      [
        "PUT ownership",
        {
          method: "PUT",
          path,
          query: "ownershipControls=",
          body: `<OwnershipControls xmlns="${XML}"><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`,
        },
      ],
      ["DELETE ownership", { method: "DELETE", path, query: "ownershipControls=" }],
      [
        "PUT versioning",
        {
          method: "PUT",
          path,
          query: "versioning=",
          body: `<VersioningConfiguration xmlns="${XML}"><Status>Enabled</Status></VersioningConfiguration>`,
        },
      ],
      ["PUT tagging", { method: "PUT", path, query: "tagging=", body: tags }],
      ["DELETE tagging", { method: "DELETE", path, query: "tagging=" }],
      ["PUT lifecycle", { method: "PUT", path, query: "lifecycle=", body: "<LifecycleConfiguration/>" }],
      ["GET lifecycle", { method: "GET", path, query: "lifecycle=" }],
      ["PUT cors", { method: "PUT", path, query: "cors=", body: cors }],
      ["DELETE cors", { method: "DELETE", path, query: "cors=" }],
      [
        "PUT object lock",
        {
          method: "PUT",
          path,
          query: "object-lock=",
          body: `<ObjectLockConfiguration xmlns="${XML}"><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`,
        },
      ],
      [
        "PUT website",
        {
          method: "PUT",
          path,
          query: "website=",
          body: `<WebsiteConfiguration xmlns="${XML}"><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>`,
        },
      ],
      ["PUT notification", { method: "PUT", path, query: "notification=", body: "<NotificationConfiguration/>" }],
      ["PUT logging", { method: "PUT", path, query: "logging=", body: "<BucketLoggingStatus/>" }],
    ];
  };

  const onStore: [string, RawRequest][] = [
    ["create a bucket", { method: "PUT", path: "/mine" }],
    ["create a bucket of a namespace to come", { method: "PUT", path: "/agentic-team-c" }],
    [
      "create a bucket as its owner",
      { method: "PUT", path: "/mine", headers: { "x-vgw-owner": "agentic-tenant-team-a" } },
    ],
  ];

  /** From a path that it may use to one that it may not. */
  const theirs = `agentic-team-b/team-b/uid/${FILE}`;
  const tricks = [
    `/agentic-team-a/team-a/../../${theirs}`,
    `/agentic-team-a/team-a/%2e%2e/%2e%2e/${theirs}`,
    `/agentic-team-a/team-a/..%2f..%2f${theirs.replaceAll("/", "%2f")}`,
    `/agentic-team-a/team-a/%252e%252e/%252e%252e/${theirs}`,
    `/agentic-team-a/team-a/..%252f..%252f${theirs}`,
    `/agentic-team-a/../${theirs}`,
    `/agentic-team-a/%2e%2e/${theirs}`,
    `/agentic-team-a%2f..%2f${theirs}`,
    `/agentic-team-a/team-a//../..//${theirs}`,
    `/agentic-team-a/team-a/..\\..\\${theirs}`,
    `/agentic-team-a/./../${theirs}`,
    `/./${theirs}`,
    `/../${theirs}`,
    `//${theirs}`,
    `/%2f${theirs}`,
    `/${theirs.replace("/", "//")}`,
    `/${theirs.replace("/", "%2f")}`,
    `/${theirs.replace("/team-b/", "/./team-b/")}`,
    `/${theirs.toUpperCase()}`,
    `/Agentic-team-b/team-b/uid/${FILE}`,
    `/agentic-team-b./team-b/uid/${FILE}`,
    `/agentic-team-b%00/team-b/uid/${FILE}`,
    `/agentic-team-a%00/../${theirs}`,
    `/${theirs}%3Fx=y`,
    `/${theirs}/`,
    `/${theirs}/.`,
    `/${theirs};x`,
    // Within its own bucket, what does not begin with its namespace.
    `/agentic-team-a/team-b/uid/${FILE}`,
    `/agentic-team-a/team-a/../team-b/uid/${FILE}`,
    `/agentic-team-a/team-a%2f..%2fteam-b/uid/${FILE}`,
    `/agentic-team-a/team-a`,
    `/agentic-team-a/TEAM-A/uid/${FILE}`,
    `/agentic-team-a/team-a-b/uid/${FILE}`,
    `/agentic-team-a/.sgwtmp/multipart/x`,
    // Beside the buckets.
    "/accounts/users.json",
    "/../accounts/users.json",
    "/agentic-team-a/../../accounts/users.json",
    "/agentic-team-a/team-a/../../../accounts/users.json",
    "/agentic-team-a/team-a/%2e%2e%2f%2e%2e%2f%2e%2e%2faccounts%2fusers.json",
  ];
  const sources = [
    theirs,
    `/${theirs}`,
    `//${theirs}`,
    theirs.replaceAll("/", "%2F"),
    `%61gentic-team-b/team-b/uid/${FILE}`,
    `agentic-team-a/team-a/../../${theirs}`,
    `agentic-team-a/../${theirs}`,
    `agentic-team-a%2Fteam-a%2F..%2F..%2F${theirs}`,
    `agentic-team-a/team-a/%2e%2e/%2e%2e/${theirs}`,
    `agentic-team-a%252F..%252F${theirs}`,
    `${theirs}?versionId=null`,
    `${theirs}%3FversionId=null`,
    "agentic-team-a/../../accounts/users.json",
  ];
  /** What it does to the world, and what it is told. */
  async function attack(send: () => Promise<RawAnswer>): Promise<RawAnswer> {
    const before = await world();
    const answer = await send();
    attacked();
    expect(await world()).toEqual(before);
    expect(answer.text).not.toContain(SECRET);
    return answer;
  }
  const asTenant = (raw: RawRequest, login = loginOf("team-a")): Promise<RawAnswer> =>
    attack(() => sendRaw(store.s3.endpoint, withMd5(raw), login));

  const refused: [string, [string, RawRequest][]][] = [
    ...OTHERS.flatMap((namespace): [string, [string, RawRequest][]][] => [
      [`an artifact of ${namespace}`, onObject(namespace)],
      [`the bucket of ${namespace}`, onBucket(namespace)],
    ]),
    ["its own bucket", onBucket("team-a")],
    ["the store", onStore],
  ];
  test.each(refused)("%s: all that it has no right to", async (_what, requests) => {
    const before = await world();
    for (const [what, raw] of requests) {
      const { status, code = "AccessDenied", text } = await sendRaw(store.s3.endpoint, withMd5(raw), loginOf("team-a"));
      attacked();
      // What versitygw does not do at all, it does for nobody.
      if (status !== 501) expect([what, status, code]).toEqual([what, 403, "AccessDenied"]);
      expect(text).not.toContain(SECRET);
    }
    expect(await world()).toEqual(before);
  });

  test.each(tricks)("by the path %s", async (path) => {
    const before = await world();
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      const body = method === "PUT" ? { body: "mine" } : {};
      const { code, text } = await sendRaw(store.s3.endpoint, { method, path, ...body }, loginOf("team-a"));
      attacked();
      // It was understood as it was meant, and refused for what it is.
      expect(code).not.toBe("SignatureDoesNotMatch");
      expect(text).not.toContain(SECRET);
    }
    expect(await world()).toEqual(before);
  });

  test.each(sources)("copied from %s", async (source) => {
    const { status, code } = await asTenant({ method: "PUT", path: OWN, headers: { "x-amz-copy-source": source } });
    expect([400, 403]).toContain(status);
    expect(["AccessDenied", "InvalidArgument"]).toContain(code);
  });

  test("copied into a part of its own upload", async () => {
    const begun = await sendRaw(store.s3.endpoint, { method: "POST", path: OWN, query: "uploads=" }, loginOf("team-a"));
    const id = /<UploadId>([^<]+)/.exec(begun.text)?.[1];
    expect([begun.status, id]).toEqual([200, expect.stringMatching(/./)]);
    const upload = { path: OWN, query: `partNumber=1&uploadId=${id}` };
    for (const source of sources) {
      const { status, code } = await asTenant({ method: "PUT", ...upload, headers: { "x-amz-copy-source": source } });
      expect([400, 403], `${source}: ${code}`).toContain(status);
      expect(["AccessDenied", "InvalidArgument"]).toContain(code);
    }
    await asRoot({ method: "DELETE", path: OWN, query: `uploadId=${id}` });
  });

  test("deleted together: others', and its own, by any path", async () => {
    const keys = [`team-b/uid/${FILE}`, `team-a/uid/${FILE}`, `../${theirs}`, `team-a/../../${theirs}`, "../accounts"];
    const body = `<Delete xmlns="${XML}">${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
    for (const bucket of ["agentic-team-b", "agentic-team-a"]) {
      const { text } = await asTenant({ method: "POST", path: `/${bucket}`, query: "delete=", body });
      expect(text).not.toContain("<Deleted>");
      expect(text.match(/<Code>AccessDenied</g)).toHaveLength(keys.length);
    }
  });

  test.each([
    ["of another", "agentic-team-b", "team-b/uid/new.txt"],
    ["of another, over what is there", "agentic-team-b", `team-b/uid/${FILE}`],
    ["of its own, with the key of another", "agentic-team-a", "team-b/uid/new.txt"],
    // It is refused where it would be allowed, too: versitygw judges a form by its bucket.
    ["of its own", "agentic-team-a", "team-a/uid/new.txt"],
  ])("a form's upload to the bucket %s", async (_what, bucket, key) => {
    const { status, code } = await attack(() =>
      sendRaw(store.s3.endpoint, formUpload({ bucket, key, content: "mine" }, loginOf("team-a"))),
    );
    expect([status, code]).toEqual([403, "AccessDenied"]);
  });

  const presign = async (method: string, path: string): Promise<string> => {
    const client = new AwsClient({ ...loginOf("team-a"), region: "us-east-1", service: "s3" });
    return (await client.sign(store.s3.endpoint + path, { method, aws: { signQuery: true } })).url;
  };
  test.each(["GET", "PUT", "DELETE"])("a presigned %s", async (method) => {
    const { pathname, search } = new URL(await presign(method, pathOf("team-b")));
    const signedFor = new URL(await presign(method, OWN));
    for (const [query, code] of [
      [search, "AccessDenied"],
      [signedFor.search, "SignatureDoesNotMatch"],
    ] as const) {
      const raw = { method, path: pathname, query: query.slice(1), body: method === "PUT" ? "mine" : "" };
      expect(await attack(() => sendRaw(store.s3.endpoint, raw))).toMatchObject({ status: 403, code });
    }
  });

  test.each<[string, () => RawLogin, string]>([
    ["another's name", () => ({ ...loginOf("team-a"), accessKeyId: "agentic-tenant-team-b" }), "SignatureDoesNotMatch"],
    [
      "the administrator's name",
      () => ({ ...loginOf("team-a"), accessKeyId: store.s3.accessKeyId }),
      "SignatureDoesNotMatch",
    ],
    ["a name that nobody has", () => ({ ...loginOf("team-a"), accessKeyId: "agentic-tenant" }), "InvalidAccessKeyId"],
    [
      "its name in capitals",
      () => ({ ...loginOf("team-a"), accessKeyId: "AGENTIC-TENANT-TEAM-A" }),
      "InvalidAccessKeyId",
    ],
    ["no password", () => ({ ...loginOf("team-a"), secretAccessKey: "" }), "SignatureDoesNotMatch"],
  ])("by %s", async (_what, login, code) => {
    for (const method of ["GET", "PUT"])
      expect(await asTenant({ method, path: pathOf("team-b") }, login())).toMatchObject({ code });
  });

  test("without a login", async () => {
    for (const raw of [...onObject("team-b"), ...onBucket("team-b"), ...onStore].map(([, one]) => one))
      expect((await attack(() => sendRaw(store.s3.endpoint, raw))).status).toBeGreaterThanOrEqual(400);
  });

  test("the names of others' buckets are in no list", async () => {
    for (const query of ["", "prefix=agentic-", "max-buckets=1"]) {
      const { status, text } = await asTenant({ method: "GET", path: "/", query });
      expect(status).toBe(200);
      expect(text).not.toContain("agentic-team");
    }
  });

  test.each<[string, RawRequest]>([
    ["list accounts", { method: "PATCH", path: "/list-users" }],
    [
      "make an account",
      {
        method: "PATCH",
        path: "/create-user",
        body: "<A><Access>new</Access><Secret>s</Secret><Role>admin</Role></A>",
      },
    ],
    [
      "make itself an administrator",
      {
        method: "PATCH",
        path: "/update-user",
        query: "access=agentic-tenant-team-a",
        body: "<P><Role>admin</Role></P>",
      },
    ],
    [
      "set another's password",
      {
        method: "PATCH",
        path: "/update-user",
        query: "access=agentic-tenant-team-b",
        body: "<P><Secret>s</Secret></P>",
      },
    ],
    ["delete another's account", { method: "PATCH", path: "/delete-user", query: "access=agentic-tenant-team-b" }],
    [
      "become a bucket's owner",
      { method: "PATCH", path: "/change-bucket-owner", query: "bucket=agentic-team-b&owner=agentic-tenant-team-a" },
    ],
    ["list all buckets", { method: "PATCH", path: "/list-buckets" }],
    ["make a bucket", { method: "PATCH", path: "/mine/create", headers: { "x-vgw-owner": "agentic-tenant-team-a" } }],
  ])("%s, where accounts are made, and where objects are", async (_what, raw) => {
    const here = await attack(() => sendRaw(store.adminEndpoint, raw, loginOf("team-a")));
    expect([here.status, here.code]).toEqual([403, "XAdminAccessDenied"]);
    const there = await asTenant(raw);
    expect(there.status).toBeGreaterThanOrEqual(400);
    // Not even for the administrator: accounts have a port of their own.
    expect((await attack(() => sendRaw(store.s3.endpoint, raw, store.s3))).status).toBeGreaterThanOrEqual(400);
  });
});

test.each<[string, (store: TestStore) => object]>([
  ["that is no administrator", () => ({ s3: { ...store.s3, ...loginOf("team-a") } })],
  ["at the port of objects", () => ({ adminEndpoint: store.s3.endpoint })],
  ["with a wrong password", () => ({ s3: { ...store.s3, secretAccessKey: "wrong" } })],
])("a login %s says what to do, without a secret", async (_what, wrong) => {
  await logins.ensure("team-a");
  const options = { key: KEY, buckets, s3: store.s3, adminEndpoint: store.adminEndpoint, ...wrong(store) };
  const error = await createStoreLogins(options)
    .ensure("nobody")
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    name: "RetryableError",
    reason: "LoginRefused",
    message: expect.stringContaining("leave S3_ADMIN_ENDPOINT out"),
  });
  const said = inspect(error, { depth: 9 });
  for (const secret of [
    store.s3.secretAccessKey,
    loginOf("nobody").secretAccessKey,
    loginOf("team-a").secretAccessKey,
    KEY,
  ])
    expect(said).not.toContain(secret);
});

test("a store that is away is said, and no refusal", async () => {
  await store.kill();
  try {
    await expect(logins.ensure("team-a")).rejects.toMatchObject({ reason: "ArtifactStoreUnavailable" });
    await expect(logins.remove("team-a")).rejects.toMatchObject({ reason: "ArtifactStoreUnavailable" });
  } finally {
    await store.restart();
  }
});
