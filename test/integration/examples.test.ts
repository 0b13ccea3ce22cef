import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";

const truth = await loadTruth();
const sitesOf = (name: string): unknown => {
  const text = readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url), "utf8");
  return agentWorkloadSchema.parse(parse(text)).spec.inputs["sites"];
};

let sites: SampleSites;
beforeAll(async () => {
  sites = await startSampleSites();
});
afterAll(() => sites.close());

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Asks the sample server for a page of one of its hosts, as a proxy would bring the request. fetch() does not let Host be set. */
async function get(url: string): Promise<Answer> {
  const { host } = new URL(url);
  const path = url.slice(url.indexOf(host) + host.length);
  const asked = request({ host: "127.0.0.1", port: sites.port, path, headers: { host } }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const body = await text(response);
  const moved = response.headers.location;
  if (moved) return get(new URL(moved, url).href);
  return { status: response.statusCode ?? 0, type: response.headers["content-type"]?.split(";")[0] ?? "", body };
}

describe("the sample sites", () => {
  test.each(truth.map((one) => [one.name, one] as const))(
    "what the truth says of %s stands on its page",
    async (_name, one) => {
      const page = (await get(one.site)).body;
      const words = [
        one.name,
        one.positioning,
        ...one.callsToAction,
        ...one.proof,
        ...one.offers.map(({ name }) => name),
      ];
      for (const word of words) expect(page).toContain(word);
      for (const { price } of one.offers) {
        const amount = price?.amount ?? 0;
        const written = [
          String(amount),
          amount.toLocaleString("en-US"),
          amount.toLocaleString("de-DE", { minimumFractionDigits: 2 }),
        ];
        expect([price, written.some((form) => page.includes(form)) || price === null]).toEqual([price, true]);
      }
    },
  );

  test.each(truth.flatMap(({ pages }) => pages.map((page) => [page.url, page] as const)))(
    "what the truth says of %s stands there",
    async (url, { offers }) => {
      const { status, body } = await get(url);
      expect(status).toBe(200);
      for (const { name, price } of offers) {
        expect(body).toContain(name);
        if (price) expect(body).toContain(String(price.amount));
      }
    },
  );

  test("the ten of the example are those of the truth", () => {
    expect(sitesOf("market-analysis")).toEqual(truth.map(({ site }) => site));
  });

  test("fifty different pages are served as HTML", async () => {
    const urls = sitesOf("market-analysis-50") as string[];
    expect(new Set(urls).size).toBe(50);
    for (const url of urls) {
      const { status, type } = await get(url);
      expect([url, status, type]).toEqual([url, 200, "text/html"]);
    }
  });

  test.each(["/../../package.json", "/%2e%2e/%2e%2e/package.json", "/nothing.html"])(
    "%s is not found",
    async (path) => {
      expect((await get(`http://www.shiftwell.example${path}`)).status).toBe(404);
    },
  );

  test("an unknown host is not found", async () => {
    expect((await get("http://unknown.example/")).status).toBe(404);
  });
});
