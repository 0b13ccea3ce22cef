import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { WALLED } from "../hostile-site/access-pages.ts";
import { type HostileSite, startHostileSite } from "../hostile-site/server.ts";
import { startUpstreamProxy, type UpstreamProxy } from "../upstream-proxy.ts";
import { agentic } from "./cli.ts";
import { endServers } from "./processes.ts";

let site: HostileSite;
let upstream: UpstreamProxy;
let folder: string;
const LOGIN = "me:s3cr3t-pass";

beforeAll(async () => {
  site = await startHostileSite();
  upstream = await startUpstreamProxy(LOGIN, site.httpPort);
  folder = await mkdtemp(join(tmpdir(), "agentic-access-"));
});
afterAll(async () => {
  await endServers(folder);
  await upstream.close();
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

async function run(out: string, access: object, mode = 0o600) {
  const file = join(folder, "workload.yaml");
  const inputs = { objective: "Compare plans", sites: ["http://walled.test/walled"], pagesPerSite: 1 };
  const spec = { inputs, review: { required: false } };
  await writeFile(
    file,
    stringify({ apiVersion: "agentic.dev/v1alpha1", kind: "AgentWorkload", metadata: { name: "walled" }, spec }),
  );
  const held = join(folder, `${out}-access.json`);
  await writeFile(held, JSON.stringify(access), { mode });
  const resolve = Object.entries({ "walled.test": site.httpPort, "upstream.test": upstream.port }).flatMap(
    ([host, port]) => ["--resolve", `${host}=127.0.0.1:${port}`],
  );
  const args = ["run", file, "--out", join(folder, out), "--host-access", held, ...resolve];
  return agentic(args, { LOG_LEVEL: "trace" }).ended;
}

test("what a file holds for a host opens its pages, and is left nowhere in the run's folder", async () => {
  const access = {
    "walled.test": {
      headers: { "X-Key": WALLED.key },
      cookies: [{ name: "sid", value: WALLED.cookie }],
      proxy: `http://${LOGIN}@upstream.test:3128`,
    },
    "other.test": { headers: { "X-Key": "somebody-elses" } },
  };
  const { code, stdout, stderr } = await run("out", access);
  expect([code, stderr.slice(-500)]).toEqual([0, expect.any(String)]);
  expect(upstream.forwarded.map(({ to, login }) => `${to} ${login}`)).toContain(`walled.test:80 ${LOGIN}`);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (one) => one.isFile() && !one.name.endsWith("-access.json"),
  );
  const read = files.map(
    async ({ parentPath, name }) => [name, await readFile(join(parentPath, name), "latin1")] as const,
  );
  const left = [["stdout", stdout], ["stderr", stderr], ...(await Promise.all(read))] as const;
  const filesWith = (text: string): string[] =>
    left.filter(([, content]) => content.includes(text)).map(([name]) => name);
  expect(filesWith("$29")).toEqual(expect.arrayContaining(["report.json"]));
  expect(filesWith("asked with headers, cookies, proxy of the workload's own for walled.test")).toContain(
    "report.json",
  );
  for (const secret of [WALLED.cookie, WALLED.key, WALLED.key.split(" ")[1] ?? "", "somebody-elses", "s3cr3t-pass"])
    expect(filesWith(secret)).toEqual([]);
});

test("a file that others may read, or that is wrong, starts nothing and is not quoted", async () => {
  const secret = "s3cr3t-value";
  for (const [access, mode] of [
    [{ "walled.test": { headers: { "X-Key": secret } } }, 0o644],
    [{ "walled.test": { header: secret } }, 0o600],
  ] as const) {
    const { code, stdout, stderr } = await run(`refused-${mode}`, access, mode);
    expect([code, stderr]).toEqual([2, expect.stringContaining("access.json")]);
    expect(stdout + stderr).not.toContain(secret);
  }
  await expect(readdir(join(folder, `refused-${0o644}`))).rejects.toThrow("ENOENT");
});
