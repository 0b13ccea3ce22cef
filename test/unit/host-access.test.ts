import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readHostAccess } from "../../cli/host-access-file.ts";
import { accessProblems, hostAccessFor, kindsOf } from "../../lib/host-access.ts";

const ASKS = { hostAccess: true };
const SECRET = "s3cr3t-value";
const KEY = { headers: { "X-Key": SECRET } };
const HELD = {
  "shop.example": JSON.stringify(KEY),
  "other.example": JSON.stringify({ proxy: "http://p.example:3128" }),
};

describe("what a step's item gets", () => {
  test.each([
    ["https://shop.example/plans", { "shop.example": KEY }],
    ["https://SHOP.example.:8443/plans", { "shop.example": KEY }],
    ["https://www.shop.example/", { "shop.example": KEY }],
    [{ url: "http://shop.example/", kind: "pricing" }, { "shop.example": KEY }],
    ["https://sub.shop.example/", undefined],
    ["https://example/", undefined],
    ["https://shop.example.evil.example/", undefined],
    ["https://evil.example/?shop.example", undefined],
    ["https://shop.example@evil.example/", undefined],
    ["https://constructor/", undefined],
    ["no address", undefined],
    [undefined, undefined],
  ])("on %j is of exactly the item's host", (item, expected) => {
    expect(hostAccessFor(ASKS, item, HELD)).toEqual(expected);
  });

  test("is nothing where its pipeline does not ask", () => {
    expect(hostAccessFor({}, "https://shop.example/", HELD)).toBeUndefined();
  });

  test("is a problem where what is held for that host is wrong, and for no other host", () => {
    const held = { ...HELD, "bad.example": "{" };
    expect(hostAccessFor(ASKS, "https://bad.example/", held)).toEqual({
      problem: expect.stringMatching(/^bad\.example: /),
    });
    expect(hostAccessFor(ASKS, "https://shop.example/", held)).toEqual({ "shop.example": KEY });
  });

  test("is told by what there is, and not what it is", () => {
    const access = { "a.example": { proxy: "http://p:1", headers: {}, cookies: [] } };
    expect(kindsOf(access)).toEqual({ "a.example": ["headers", "cookies", "proxy"] });
  });
});

describe("what is wrong is said without a word of it", () => {
  test.each<[string, unknown]>([
    ["no JSON", `{ "headers": { "x-key": "${SECRET}"`],
    ["a text", JSON.stringify(SECRET)],
    ["nothing", {}],
    ["an unknown field", { [SECRET]: "a" }],
    ["headers that are a list", { headers: [SECRET] }],
    ["a header's value of two lines", { headers: { "x-key": `${SECRET}\r\nHost: evil.example` } }],
    ["a header's value that is none of ASCII", { headers: { "x-key": `${SECRET}\u0000` } }],
    ["a header's name that is its value", { headers: { [`Authorization: ${SECRET}`]: "a" } }],
    ["a header whose name is it, and whose value is none", { headers: { [SECRET]: "\u0000" } }],
    ["a header twice", { headers: { "x-key": SECRET, "X-Key": SECRET } }],
    [
      "headers without end",
      { headers: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`x-${at}`, SECRET])) },
    ],
    ...[
      "host",
      "Cookie",
      "User-Agent",
      "Content-Length",
      "Transfer-Encoding",
      "Proxy-Authorization",
      "Sec-Fetch-Site",
      "Origin",
      "Connection",
    ].map((name): [string, unknown] => [`the header ${name}`, { headers: { [name]: SECRET } }]),
    ["cookies that are an object", { cookies: { sid: SECRET } }],
    ["a cookie of another host", { cookies: [{ name: "sid", value: SECRET, domain: ".example" }] }],
    ["a cookie that ends early", { cookies: [{ name: "sid", value: `${SECRET}; Domain=example` }] }],
    ["a cookie's name that is its value", { cookies: [{ name: `sid=${SECRET}`, value: "a" }] }],
    ["a cookie's path that is none", { cookies: [{ name: "sid", value: SECRET, path: "plans" }] }],
    ["cookies without end", { cookies: Array.from({ length: 51 }, () => ({ name: "a", value: SECRET })) }],
    ["a proxy by TLS", { proxy: `https://me:${SECRET}@p.example:3128` }],
    ["a proxy with a path", { proxy: `http://me:${SECRET}@p.example:3128/path` }],
    ["a proxy that is no address", { proxy: SECRET }],
    ["a proxy that fits no header", { proxy: `http://me:${SECRET.repeat(50)}@p.example:3128` }],
  ])("%s", (_what, entry) => {
    const said = [
      ...accessProblems({ "shop.example": typeof entry === "string" ? entry : JSON.stringify(entry) }),
      JSON.stringify(hostAccessFor(ASKS, "https://shop.example/", { "shop.example": entry })),
    ].join("\n");
    expect(said).toContain("shop.example: ");
    expect(said).not.toContain(SECRET);
  });

  test.each(["*.shop.example", "shop.example:8443", "Shop.example", ".shop.example", "https://shop.example", ""])(
    "the name of no host: %j",
    (host) => {
      expect(accessProblems({ [host]: KEY })).toEqual([expect.stringContaining("no exact name of a host")]);
    },
  );

  test("where the part is", () => {
    const held = { "shop.example": { cookies: [{ name: "a", value: "b" }, { name: "c" }] } };
    expect(accessProblems(held)).toEqual(["shop.example: cookies.1.value: is missing"]);
    expect(accessProblems(HELD)).toEqual([]);
  });
});

describe("a file of --host-access", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "agentic-host-access-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const written = async (text: string, mode = 0o600): Promise<string> => {
    const file = join(folder, "access.yaml");
    await writeFile(file, text);
    await chmod(file, mode);
    return file;
  };
  const YAML = `shop.example: { headers: { X-Key: ${SECRET} } }`;

  test("is YAML or JSON", async () => {
    expect(await readHostAccess(await written(YAML))).toEqual({ hostAccess: { "shop.example": KEY } });
    expect(await readHostAccess(await written(JSON.stringify({ "shop.example": KEY })))).toEqual({
      hostAccess: { "shop.example": KEY },
    });
  });

  test.each([0o640, 0o604, 0o644, 0o620])("is refused where others may read or write it: %o", async (mode) => {
    const file = await written(YAML, mode);
    expect(await readHostAccess(file)).toEqual({ problem: expect.stringContaining(`chmod 600 ${file}`) });
  });

  test.each([
    ["no YAML", `shop.example: { headers: ${SECRET}`],
    ["a list", `- ${SECRET}`],
    ["nothing", ""],
    ["a wrong entry", `shop.example: { header: ${SECRET} }`],
    ["a wrong name", `"*.example": { headers: { X-Key: ${SECRET} } }`],
  ])("is refused without a word of it: %s", async (_what, text) => {
    const read = await readHostAccess(await written(text));
    expect(read).toEqual({ problem: expect.stringContaining("access.yaml") });
    expect(JSON.stringify(read)).not.toContain(SECRET);
  });

  test("that is not there is named", async () => {
    expect(await readHostAccess("/nowhere")).toEqual({ problem: expect.stringContaining("/nowhere") });
  });
});
