import { type Browser, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectBrowser } from "../../lib/edges/browser.ts";
import { poolEndpoint } from "../../lib/edges/browser-pool.ts";
import { apply, get, kubectl, list, until } from "./cluster.ts";
import { forwardPort } from "./port-forward.ts";
import { forbidden, tryForbidden } from "./syscalls.ts";
import { SYSTEM } from "./workload.ts";

// The pool as it is deployed: who reaches it, as what its browsers run, and what the kernel refuses to them.

const PORT = 3000;
const EGRESS = `http://egress.${SYSTEM}.svc.cluster.local:3128`;
const LABEL = "agentic.dev/test-pool";

/** (module (func (export "f") (result i32) i32.const 42)) */
const ANSWER = [
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0],
  ...[0x0a, 6, 1, 4, 0, 0x41, 42, 0x0b],
];

/** BROWSER_URL of a pool, from here. */
async function urlOf(service: string, token: string): Promise<string> {
  return `ws://${await forwardPort({ namespace: SYSTEM, name: service }, PORT)}/chromium?token=${token}`;
}

let browserUrl: string;
const connections: Browser[] = [];

/** As an agent connects. */
async function connect(url = poolEndpoint(browserUrl, EGRESS)): Promise<Browser> {
  const connection = await chromium.connectOverCDP(url);
  connections.push(connection);
  return connection;
}

const pageOf = async (browser: Browser): Promise<Page> => (await browser.newContext()).newPage();

/** PIDs by type, in the pod. */
async function processesOf(browser: Browser): Promise<Map<string, number>> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  return new Map(processInfo.map(({ type, id }) => [type, id]));
}

const inPool = (...command: string[]) => kubectl(["-n", SYSTEM, "exec", "deploy/browserless", "--", ...command]);

beforeAll(async () => {
  const secret = await get("secrets", SYSTEM, "agentic-browser");
  browserUrl = await urlOf("browserless", Buffer.from(secret?.["data"].token, "base64").toString());
});
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});

describe("a page", () => {
  test("is drawn and printed", async () => {
    const context = await (await connect()).newContext({ viewport: { width: 400, height: 200 } });
    const page = await context.newPage();
    // What looks at it by CDP, as scrape does.
    const session = await context.newCDPSession(page);
    await page.setContent(
      `<body style="margin:0;display:flex"><p style="margin:0;width:200px;height:200px;background:#00c040"></p>
       <p style="margin:0;width:200px;height:200px;background:rgb(32,64,255)"></p>`,
    );
    const { data } = await session.send("Page.captureScreenshot", { format: "png" });
    const picture = sharp(Buffer.from(data, "base64"));
    expect(await picture.metadata()).toMatchObject({ width: 400, height: 200 });
    const colourAt = (left: number) =>
      picture.clone().extract({ left, top: 100, width: 1, height: 1 }).removeAlpha().raw().toBuffer();
    expect([...(await colourAt(100))]).toEqual([0, 0xc0, 0x40]);
    expect([...(await colourAt(300))]).toEqual([32, 64, 255]);
    expect((await page.pdf()).subarray(0, 5).toString()).toBe("%PDF-");
  });

  test("runs WebAssembly, workers and canvases, and no WebGL takes it down", async () => {
    const page = await pageOf(await connect());
    const seen = await page.evaluate(async (module) => {
      const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(6 * 7)"])));
      const answer = await new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
      });
      const { instance } = await WebAssembly.instantiate(new Uint8Array(module));
      const canvas = document.createElement("canvas");
      const drawing = canvas.getContext("2d");
      drawing?.fillRect(0, 0, 1, 1);
      document.createElement("canvas").getContext("webgl");
      return {
        answer,
        wasm: (instance.exports["f"] as () => number)(),
        drawn: [...(drawing?.getImageData(0, 0, 1, 1).data ?? [])],
      };
    }, ANSWER);
    expect(seen).toEqual({ answer: 42, wasm: 42, drawn: [0, 0, 0, 255] });
  });

  test.each(["http://127.0.0.1:3000/active", `http://browserless.${SYSTEM}.svc.cluster.local:3000/active`])(
    "of a context that names no proxy reaches nothing: %s",
    async (address) => {
      const page = await pageOf(await connect());
      await expect(page.goto(address)).rejects.toThrow(/ERR_NAME_NOT_RESOLVED/);
    },
  );
});

describe("Chrome's own sandbox", () => {
  test("is on, and its renderers are in user, pid and network namespaces of their own, under a filter of their own", async () => {
    const browser = await connect();
    const page = await pageOf(browser);
    await page.goto("chrome://sandbox");
    await page.getByText("You are adequately sandboxed.").waitFor();

    const renderer = (await processesOf(browser)).get("renderer");
    const of = async (file: string) => (await inPool("cat", `/proc/${renderer}/${file}`)).trim();
    const status = await of("status");
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(Number(/^Seccomp_filters:\t(\d+)$/m.exec(status)?.[1])).toBeGreaterThan(1);
    expect(status).toMatch(/^NSpid:\t\d+\t\d+/m);
    expect(status).toMatch(/^CapEff:\t0{16}$/m);
    expect((await of("uid_map")).split(/\s+/)).toEqual(["999", "999", "1"]);
    const interfaces = (await of("net/dev")).split("\n").slice(2);
    expect(interfaces.map((line) => line.trim().split(":")[0])).toEqual(["lo"]);
  });

  test("is off where the connection does not ask for it: Browserless' own default", async () => {
    const page = await pageOf(await connect(browserUrl));
    await page.goto("chrome://sandbox");
    await page.getByText("You are NOT adequately sandboxed.").waitFor();
  });

  test("cannot be had with RuntimeDefault: no browser starts", async () => {
    const url = await copyOfPool("runtime-default", { seccompProfile: { type: "RuntimeDefault" } });
    await expect(chromium.connectOverCDP(poolEndpoint(url, EGRESS))).rejects.toThrow(/No usable sandbox|50\d/);
    const log = await kubectl(["-n", SYSTEM, "logs", "pool-runtime-default"]);
    expect(log).toMatch(/No usable sandbox/);
  });
});

describe("the pod", () => {
  test("has no rights: no root, no capability, no way to get any, nothing to write but /tmp", async () => {
    const status = await inPool("cat", "/proc/self/status");
    expect(status).toMatch(/^Uid:\t999\t999\t999\t999$/m);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect(status).toMatch(new RegExp(`^${set}:\\t0{16}$`, "m"));
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    await expect(inPool("touch", "/app/x")).rejects.toThrow(/Read-only file system/);
    await expect(inPool("ls", "/var/run/secrets/kubernetes.io")).rejects.toThrow(/No such file/);
  });

  test("is refused what no browser needs", async () => {
    expect(await tryForbidden(inPool)).toEqual(forbidden);
  });
});

describe("sessions", () => {
  test("each has a browser of its own, which goes with it, and its profile too", async () => {
    const [one, other] = [await connect(), await connect()];
    const pids = (await Promise.all([processesOf(one), processesOf(other)])).map((types) => types.get("browser"));
    expect(new Set(pids).size).toBe(2);
    await one.close();
    const gone = () =>
      inPool("ls", `/proc/${pids[0]}/status`).then(
        () => false,
        () => true,
      );
    await until("the browser of a closed connection to end", gone, { ms: 20_000 });
    await other.close();
  });

  test("beyond what runs and what waits are refused at once, and those that wait get their turn", async () => {
    const url = poolEndpoint(await copyOfPool("full", {}, { CONCURRENT: "1", QUEUED: "1" }), EGRESS);
    const [running, waiting, third] = [0, 1, 2].map(() => connectBrowser(() => url));
    await running?.userAgent();
    const turn = waiting?.userAgent();
    await until("the second to wait", async () => (await pressureOf("full")).queued === 1, { ms: 10_000 });
    await expect(third?.userAgent()).rejects.toMatchObject({ reason: "BrowserPoolFull", countsAsAttempt: false });
    await running?.close();
    expect(await turn).toMatch(/Chrome\//);
    await waiting?.close();
  });
});

async function pressureOf(name: string): Promise<{ queued: number }> {
  const inPod = ["-n", SYSTEM, "exec", `pool-${name}`, "--"];
  const ask = `fetch("http://127.0.0.1:${PORT}/pressure?token=test").then(async (r) => console.log(await r.text()))`;
  return JSON.parse(await kubectl([...inPod, "node", "-e", ask])).pressure;
}

/** A pool of a test's own: the Deployment's pod, changed. @returns its BROWSER_URL */
async function copyOfPool(name: string, security: object, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const deployment = await get("deployments", SYSTEM, "browserless");
  const { spec } = deployment?.spec.template ?? {};
  const [container] = spec.containers;
  const set = { ...env, TOKEN: "test" };
  const settings = container.env.filter((one: { name: string }) => !(one.name in set));
  const labels = { [LABEL]: name };
  await apply(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: SYSTEM, name: `pool-${name}`, labels },
      spec: {
        ...spec,
        securityContext: { ...spec.securityContext, ...security },
        containers: [
          { ...container, env: [...settings, ...Object.entries(set).map(([key, value]) => ({ name: key, value }))] },
        ],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: SYSTEM, name: `pool-${name}`, labels },
      spec: { selector: labels, ports: [{ port: PORT }] },
    },
  );
  await kubectl(["-n", SYSTEM, "wait", "--for=condition=Ready", `pod/pool-${name}`, "--timeout=60s"]);
  return urlOf(`pool-${name}`, "test");
}

afterAll(async () => {
  await kubectl(["-n", SYSTEM, "delete", "pods,services", "-l", LABEL, "--wait=false"]);
});

test("the profile is on every node that the pool can run on", async () => {
  const pods = await list("pods", "agentic-node", "app.kubernetes.io/name=seccomp");
  const nodes = JSON.parse(await kubectl(["get", "nodes", "-o", "json"])).items;
  expect(pods).toHaveLength(nodes.length);
});
