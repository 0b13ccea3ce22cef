import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryableError, TerminalError } from "agentic-kubernetes/agent";
import { checkLinks, createAddressCheck, ownLinks } from "../src/audit/links.js";
import type { Visitor } from "../src/visitor.js";

const PAGE = "http://www.shop.example/a";
const link = (path: string, text = "T"): { url: string; text: string } => ({ url: new URL(path, PAGE).href, text });

/** Answers statuses, or throws. Asked for anything else, it answers 200. */
function visitor(
  answers: Readonly<Record<string, number | Error>>,
  disallowed = "/private",
): Visitor & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    robots: async () => ({ isAllowed: (url) => !url.includes(disallowed), sitemaps: [] }),
    get: () => Promise.reject(new Error("nothing is read")),
    async head(url) {
      const path = new URL(url).pathname;
      asked.push(path);
      const answer = answers[path] ?? 200;
      if (answer instanceof Error) throw answer;
      return { status: answer, headers: {}, url, body: new Uint8Array(), truncated: false };
    },
  };
}

test("links of a page are those to other pages of its host, each once, by its first text", () => {
  const links = [link("/b", "first"), link("/a#top"), link("/b#x", "second"), link("http://other.example/")];
  assert.deepEqual(ownLinks(links, PAGE), [link("/b", "first")]);
});

test("404, 410, 5xx and silence are broken links; a login, a limit and a refused redirect are not", async () => {
  const site = visitor({
    "/404": 404,
    "/410": 410,
    "/500": 500,
    "/401": 401,
    "/429": 429,
    "/silent": new RetryableError("ConnectionRefused", "no connection"),
    "/away": new TerminalError("EgressRefused", "not allowed"),
  });
  const links = ["/404", "/410", "/500", "/401", "/429", "/silent", "/away", "/fine", "/private/x"].map((path) =>
    link(path),
  );
  const { findings, checked } = await checkLinks(links, site, createAddressCheck()("run"));
  assert.deepEqual(
    findings.map(({ where }) => new URL(where).pathname),
    ["/404", "/410", "/500", "/silent"],
  );
  assert.equal(checked, 8);
  assert.ok(!site.asked.includes("/private/x"));
});

test("an address is asked for once in a run, and again when too many others came between", async () => {
  const site = visitor({ "/gone": 404 });
  const checkOf = createAddressCheck(1);
  for (const [run, paths] of [
    ["one", ["/gone", "/gone"]],
    ["two", ["/gone"]],
    ["one", ["/gone"]],
  ] as const)
    for (const path of paths) assert.equal((await checkLinks([link(path)], site, checkOf(run))).findings.length, 1);
  assert.equal(site.asked.length, 3);
});

test("trouble that is not the link's ends the step", async () => {
  const site = visitor({ "/b": new RetryableError("EgressUnavailable", "the egress proxy does not answer") });
  await assert.rejects(checkLinks([link("/b")], site, createAddressCheck()("run")), /egress proxy/);
});
