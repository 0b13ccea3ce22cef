import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { startSampleSites } from "../../examples/serve.ts";
import { agentic } from "./cli.ts";
import { endServers } from "./processes.ts";

/** The name of a button of a page, or a field of a fact, by the text before it. */
function nameAfter(html: string, text: string, attribute: RegExp): string {
  const at = html.indexOf(text);
  expect(at, `${text} is on the page`).toBeGreaterThan(-1);
  return attribute.exec(html.slice(at))?.[1] ?? "";
}

interface Report {
  date: string;
  competitors: { label: string; analysis: { offers: { name: string; price: { amount: number } | null }[] } }[];
  review: { corrections?: { fact: string; action: string }[] };
}

async function reportOf(out: string): Promise<Report> {
  return JSON.parse(await readFile(join(out, "report.json"), "utf8"));
}

function offersOf({ competitors }: Report): unknown[] {
  const { offers } = competitors.find(({ label }) => label === "Shiftwell")?.analysis ?? { offers: [] };
  return offers.map(({ name, price }) => [name, price?.amount]);
}

test("what a reviewer strikes and corrects by the page's forms is so in the report, sealed in the evidence, and remembered", async () => {
  const out = await mkdtemp(join(tmpdir(), "agentic-corrections-"));
  const sites = await startSampleSites();
  const hosts = ["www.shiftwell.example", "www.rosterly.example"];
  const file = join(out, "workload.yaml");
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: "agentic.dev/v1alpha1",
      kind: "AgentWorkload",
      metadata: { name: "corrected" },
      spec: {
        freshness: "1s",
        inputs: {
          objective: "How to price shift planning?",
          pagesPerSite: 1,
          sites: hosts.map((host) => `http://${host}/`),
        },
      },
    }),
  );
  const resolved = hosts.flatMap((host) => ["--resolve", `${host}=127.0.0.1:${sites.port}`]);
  const args = ["run", file, "--out", out, ...resolved];
  const command = agentic(args);
  try {
    const link = await command.said(/http:\/\/127\.0\.0\.1:\d+\/review\/\S+(?=\n)/);
    const cookie = (await fetch(link, { redirect: "manual" })).headers.get("set-cookie")?.split(";")[0] ?? "";
    const url = link.replace(/\?.*/, "");
    const send = async (page: string, fields: Record<string, string>): Promise<string> => {
      const hidden = [...page.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
        ([, name = "", value = ""]) => [
          name,
          value.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&"),
        ],
      );
      const body = new URLSearchParams({ ...Object.fromEntries(hidden), ...fields });
      const headers = { cookie, origin: new URL(url).origin, accept: "text/html" };
      const response = await fetch(url, { method: "POST", headers, body });
      expect(response.status).toBe(200);
      return response.text();
    };
    const review = await (await fetch(url, { headers: { cookie } })).text();
    const button = /name="edit" value="(\d+)"/;
    const shiftwell = await send(review, { edit: nameAfter(review, "<h3>Shiftwell</h3>", button) });
    const corrected = await send(shiftwell, {
      edited: nameAfter(shiftwell, "<form", /name="edited" value="(\d+)"/),
      [nameAfter(shiftwell, "Offers: Team: $12 per user a month", /name="(value-\d+)"/)]: "Team: $15 per user a month",
      [nameAfter(shiftwell, "Offers: Enterprise", /name="(strike-\d+)"/)]: "on",
    });
    const after = await send(corrected, { decision: "approved" });
    expect(after).toContain("<summary>2 corrections</summary>");
    const { code } = await command.ended;
    expect(code).toBe(0);

    const report = await reportOf(out);
    expect(offersOf(report)).toEqual([
      ["Free", 0],
      ["Team", 15],
    ]);
    expect(report.review.corrections?.map(({ fact, action }) => [fact, action])).toEqual([
      ["offers/team", "correct"],
      ["offers/enterprise", "strike"],
    ]);
    const markdown = await readFile(join(out, "report.md"), "utf8");
    expect(markdown).toMatch(/was corrected by \S+ to "Team: \$15 per user a month"/);
    const { payload } = JSON.parse(await readFile(join(out, "evidence.json"), "utf8")) as { payload: string };
    const { predicate } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    expect(predicate.chain.at(-1).entry.decision.corrections).toHaveLength(2);

    // The next look at the same pages, once the run is older than spec.freshness, remembers.
    await pause(1_100);
    const next = await agentic([...args, "--approve"]).ended;
    expect([next.code, next.stderr]).toEqual([0, expect.stringMatching(/ analyze .*Succeeded/s)]);
    const again = await reportOf(out);
    expect(offersOf(again)).toEqual(offersOf(report));
    expect(again.review.corrections).toBeUndefined();
    expect(again.date).not.toBe(report.date);
  } finally {
    command.child.kill("SIGKILL");
    await command.ended;
    await endServers(out);
    await sites.close();
    await rm(out, { recursive: true, force: true });
  }
}, 120_000);
