import { setTimeout as sleep } from "node:timers/promises";
import { crc32, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { stepResultSchema } from "../../engine/result.ts";
import { digestOf } from "../../functions/report/digest.ts";
import { csvOf } from "../../functions/report/export/csv.ts";
import { reportPptx } from "../../functions/report/export/pptx.ts";
import { claimsSheet, offersSheet } from "../../functions/report/export/sheets.ts";
import { reportXlsx } from "../../functions/report/export/xlsx.ts";
import type { Report } from "../../functions/report/report.ts";
import { strategize } from "../../functions/report/strategist.ts";
import { dossierOf, type Site, TEN } from "./report-fixture.ts";

const FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "  =1+1"];

const hostile: Site = {
  name: '=HYPERLINK("https://evil.example")\u0001',
  url: "https://hostile.example/",
  claim: `</t></si><si><t>&amp; ]]> \u0000\u0001\ud800 ${"long ".repeat(9000)}`,
  offers: [
    ...FORMULAS.map((name): NonNullable<Site["offers"]>[number] => [name, { amount: 5 }]),
    ["Odd", { amount: 7, currency: '"]!' }],
    ["Yen", { amount: 700, currency: "JPY" }],
  ],
};

const reportOf = (sites: readonly Site[], earlier?: readonly Site[]): Report => {
  const dossier = dossierOf(sites, { at: "2026-11-28T09:30:16.000Z" }, earlier && dossierOf(earlier));
  return { ...dossier, narrative: strategize(dossier) };
};
const dearer = TEN.map(
  (site): Site => ({
    ...site,
    offers: (site.offers ?? []).map(([name, given, features]) => [
      name,
      given && { ...given, amount: (given.amount ?? 0) * 2 },
      features ?? [],
    ]),
  }),
);

/** A reader of its own, by the format's specification: entries by the central directory, each checked against its CRC-32. */
function unzip(archive: Uint8Array): Map<string, { text: string; bytes: Buffer; time: number }> {
  const zip = Buffer.from(archive);
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  const entries = new Map<string, { text: string; bytes: Buffer; time: number }>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    expect(zip.toString("latin1", at, at + 4)).toBe("PK\x01\x02");
    const [method, time, crc, size] = [10, 12, 16, 20].map((offset) =>
      offset === 10 ? zip.readUInt16LE(at + offset) : zip.readUInt32LE(at + offset),
    ) as [number, number, number, number];
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(start, start + size);
    const bytes = method === 0 ? packed : inflateRawSync(packed);
    expect(crc32(bytes)).toBe(crc);
    entries.set(zip.toString("utf8", at + 46, at + 46 + name), { bytes, text: bytes.toString("utf8"), time });
    at += 46 + name + extra + comment;
  }
  return entries;
}

/** Tags open and close in turn, and nothing stands there that XML 1.0 has not. */
function expectWellFormed(xml: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffd-\uffff]/);
  const open: string[] = [];
  const rest = xml
    .replace(/<\?[^?]*\?>/g, "")
    .replace(/<(\/?)([\w:.-]+)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/g, (_tag, close, name, _attributes, single) => {
      if (close) expect(open.pop()).toBe(name);
      else if (!single) open.push(name);
      return "";
    });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|apos;|#\d+;|#x[\da-fA-F]+;)/);
}

interface ReadCell {
  readonly text: string;
  /** As the file has it; none: a number. */
  readonly type: string | undefined;
  readonly format: string | undefined;
}

/** Sheets by name, as a spreadsheet would read them. */
function readSheets(archive: Uint8Array): Map<string, { xml: string; rows: ReadCell[][] }> {
  const files = unzip(archive);
  const text = (name: string) => files.get(name)?.text ?? "";
  const plain = (xml: string) =>
    xml
      .replace(/<[^>]*>/g, "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&apos;", "'")
      .replaceAll("&amp;", "&");
  const shared = [...text("xl/sharedStrings.xml").matchAll(/<si>([\s\S]*?)<\/si>/g)].map(([, xml = ""]) => plain(xml));
  const formats = new Map(
    [...text("xl/styles.xml").matchAll(/<numFmt numFmtId="(\d+)" formatCode="([^"]*)"/g)].map(([, id, code = ""]) => [
      id,
      plain(code),
    ]),
  );
  const styles = [
    ...(/<cellXfs[\s\S]*<\/cellXfs>/.exec(text("xl/styles.xml"))?.[0] ?? "").matchAll(/<xf\b[^>]*>/g),
  ].map(([tag]) => formats.get(/numFmtId="(\d+)"/.exec(tag)?.[1] ?? ""));
  const targets = new Map(
    [...text("xl/_rels/workbook.xml.rels").matchAll(/<Relationship [^>]*>/g)].map(([tag]) => [
      /Id="([^"]*)"/.exec(tag)?.[1],
      /Target="([^"]*)"/.exec(tag)?.[1],
    ]),
  );
  return new Map(
    [...text("xl/workbook.xml").matchAll(/<sheet [^>]*>/g)].map(([tag]) => {
      const xml = text(`xl/${targets.get(/r:id="([^"]*)"/.exec(tag)?.[1])}`);
      const rows = [...xml.matchAll(/<row [^>]*>([\s\S]*?)<\/row>/g)].map(([, row = ""]) =>
        [...row.matchAll(/<c ([^>]*?)(?:\/>|>([\s\S]*?)<\/c>)/g)].map(([, attributes = "", content = ""]): ReadCell => {
          const type = /\bt="([^"]*)"/.exec(attributes)?.[1];
          const value = plain(/<v>([\s\S]*?)<\/v>/.exec(content)?.[1] ?? content);
          return {
            type,
            text: type === "s" ? (shared[Number(value)] ?? "") : value,
            format: styles[Number(/\bs="(\d+)"/.exec(attributes)?.[1] ?? "")],
          };
        }),
      );
      return [/name="([^"]*)"/.exec(tag)?.[1] ?? "", { xml, rows }];
    }),
  );
}

describe("the XLSX", () => {
  let xlsx: Uint8Array;
  let sheets: ReturnType<typeof readSheets>;
  const report = reportOf([...dearer, hostile], [...TEN, hostile]);
  beforeAll(async () => {
    xlsx = await reportXlsx(report);
    sheets = readSheets(xlsx);
  });
  const column = (sheet: string, title: string) => {
    const [head = [], ...rows] = sheets.get(sheet)?.rows ?? [];
    const at = head.findIndex(({ text }) => text === title);
    expect(at).toBeGreaterThanOrEqual(0);
    return rows.map((row) => row[at]);
  };

  it("has a sheet for each question, with a header that stays in sight", () => {
    expect([...sheets.keys()]).toEqual(["Sites", "Offers", "Prices over time", "Claims", "Changes", "Coverage"]);
    for (const { xml, rows } of sheets.values()) {
      expect(xml).toMatch(/<pane [^>]*ySplit="1"[^>]*state="frozen"/);
      expect(rows.length).toBeGreaterThan(1);
    }
    for (const [name, { text }] of unzip(xlsx)) if (/\.(xml|rels)$/.test(name)) expectWellFormed(text);
  });

  it("has numbers, amounts and times as such", () => {
    const solo = sheets.get("Offers")?.rows.find((row) => row[1]?.text === "Solo");
    expect(solo?.[2]).toMatchObject({ text: "18", format: "[$$]#,##0.00" });
    expect(solo?.[2]?.type ?? "n").toBe("n");
    expect(column("Offers", "Price").map((cell) => cell?.format)).toContain("[$¥]#,##0.00");
    expect(column("Offers", "Price").map((cell) => cell?.format)).toContain("#,##0.00");
    const seen = column("Prices over time", "Seen")[0];
    expect(seen).toMatchObject({ format: "yyyy-mm-dd hh:mm" });
    // Days since 1899-12-30.
    expect(Number(seen?.text)).toBeCloseTo(Date.parse("2026-11-21T09:30:00Z") / 86_400_000 + 25_569, 3);
    expect(column("Changes", "Material").map((cell) => cell?.type)).toContain("b");
    expect(column("Claims", "Claim").map((cell) => cell?.text)).toEqual(report.claims.map(({ id }) => id));
  });

  it("has what a page says as text, which is no formula", () => {
    for (const { xml } of sheets.values()) expect(xml).not.toMatch(/<f[ >]/);
    const offers = column("Offers", "Offer");
    for (const formula of FORMULAS) {
      const cell = offers.find((one) => one?.text === formula);
      expect(cell?.type).toMatch(/^(s|inlineStr|str)$/);
    }
    for (const { rows } of sheets.values())
      for (const { text } of rows.flat()) expect(text.length).toBeLessThanOrEqual(32_000);
  });

  it("has the report's date and no other: the same report gives the same bytes", async () => {
    await sleep(2100);
    expect(Buffer.from(await reportXlsx(report)).equals(Buffer.from(xlsx))).toBe(true);
    expect(new Set([...unzip(xlsx).values()].map(({ time }) => time)).size).toBe(1);
  });
});

describe("the PPTX", () => {
  const report = reportOf([...dearer, hostile], [...TEN, hostile]);
  let pptx: Uint8Array;
  let files: ReturnType<typeof unzip>;
  beforeAll(async () => {
    pptx = await reportPptx(report);
    files = unzip(pptx);
  });
  const slides = () =>
    [...files]
      .filter(([name]) => /^ppt\/slides\/slide\d+\.xml$/.test(name))
      .map(([, { text }]) => [...text.matchAll(/<a:t>([^<]*)<\/a:t>/g)].map(([, said]) => said).join("\n"));

  it("tells the report in slides", () => {
    const said = slides();
    for (const title of [
      "The answer",
      "What changed since 2026-11-21",
      "Entry prices",
      "Side by side",
      "Recommendation",
      "Coverage: 11 of 12 pages read",
    ])
      expect(said.some((slide) => slide.startsWith(title))).toBe(true);
    expect(said[0]).toContain(report.objective);
    expect(said.join("\n")).toContain("Ledgerly raised Solo from $9 to $18 a month (+100%).");
    expect(said.join("\n")).toContain("the site answered with a captcha");
    expect(said.join("\n")).not.toMatch(/\[c\d+\]/);
  });

  it("has a chart that PowerPoint draws, with its figures", () => {
    const chart = files.get("ppt/charts/chart1.xml")?.text ?? "";
    expect(chart).toContain("<c:barChart>");
    const priced = report.competitors.filter(({ entryMonthly }) => entryMonthly !== null);
    for (const { label, entryMonthly } of priced.filter((one) => one.label.startsWith("L"))) {
      expect(chart).toContain(`<c:v>${label}</c:v>`);
      expect(chart).toContain(`<c:v>${entryMonthly}</c:v>`);
    }
    const [book] = [...files].filter(([name]) => name.endsWith(".xlsx"));
    expect([...unzip(book?.[1].bytes ?? new Uint8Array()).keys()]).toContain("xl/worksheets/sheet1.xml");
  });

  it("is well-formed whatever a page says", () => {
    for (const [name, { text }] of files) if (/\.(xml|rels)$/.test(name)) expectWellFormed(text);
  });

  it("has the report's date and no other: the same report gives the same bytes", async () => {
    await sleep(2100);
    expect(Buffer.from(await reportPptx(report)).equals(Buffer.from(pptx))).toBe(true);
    expect(files.get("docProps/core.xml")?.text).toContain(">2026-11-28T09:30:16Z<");
    const [book] = [...files].filter(([name]) => name.endsWith(".xlsx"));
    const times = [...files.values(), ...unzip(book?.[1].bytes ?? new Uint8Array()).values()].map(({ time }) => time);
    expect(new Set(times).size).toBe(1);
  });
});

describe("the CSV", () => {
  /** By RFC 4180 alone. */
  const parse = (csv: string): string[][] =>
    [...csv.matchAll(/((?:(?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,|(?=\r\n)))*)\r\n/g)].map(([, line = ""]) =>
      [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*),/g)].map(([, field = ""]) =>
        field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
      ),
    );

  it("has a line for each claim and offer, which a reader gets back", () => {
    const report = reportOf(TEN);
    const claims = parse(csvOf(claimsSheet(report)));
    expect(claims).toHaveLength(report.claims.length + 1);
    expect(claims.slice(1).map(([id]) => id)).toEqual(report.claims.map(({ id }) => id));
    const offers = parse(csvOf(offersSheet(report)));
    expect(offers.find(([, offer]) => offer === "Solo")).toEqual(
      expect.arrayContaining(["9", "USD", "month", "Unlimited invoices; Reminders"]),
    );
  });

  it("gives back any text", () => {
    const cell = fc.string({ unit: "binary-ascii", maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (rows) => {
        const read = parse(
          csvOf({
            name: "x",
            columns: [
              ["a", 1],
              ["b", 1],
            ],
            rows,
          }),
        );
        expect(read.slice(1).map((row) => row.map((one) => one.replace(/^'/, "")))).toEqual(
          rows.map((row) => row.map((one) => one.replace(/^'/, ""))),
        );
      }),
    );
  });

  it.each([...FORMULAS, "|cmd", "%x"])("has no formula: %j", (text) => {
    const [, [field = ""] = []] = parse(csvOf({ name: "x", columns: [["a", 1]], rows: [[text]] }));
    expect(field).toBe(`'${text}`);
  });

  it("has negative numbers as numbers", () => {
    expect(csvOf({ name: "x", columns: [["a", 1]], rows: [[-1], [true], [null]] })).toBe("a\r\n-1\r\ntrue\r\n\r\n");
  });
});

describe("the digest", () => {
  it("says what is material, and how much", () => {
    expect(digestOf(reportOf(dearer, TEN))).toEqual({
      title: "How should a new invoicing product be priced and positioned?",
      sites: 10,
      since: "2026-11-21T09:30:00.000Z",
      material: 15,
      changes: expect.arrayContaining(["Ledgerly raised Solo from $9 to $18 a month (+100%)."]),
    });
    expect(digestOf(reportOf(TEN, TEN))).toMatchObject({ material: 0, changes: [] });
    expect(digestOf(reportOf(TEN))).toEqual({ title: expect.any(String), sites: 10, material: 0, changes: [] });
  });

  it("fits a result's data whatever a page says", () => {
    const long = '\u0001"\\\ud800'.repeat(3000);
    const before = dearer.map((site, at): Site => ({ ...site, name: `${at}${long}`, claim: `${at} then` }));
    const data = digestOf(
      reportOf(
        before.map((site) => ({ ...site, claim: `${long} now` })),
        before,
      ),
    );
    expect(data.changes).toHaveLength(10);
    expect(() =>
      stepResultSchema.parse({
        ...{ outcome: "succeeded", artifacts: {}, data },
        usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 },
      }),
    ).not.toThrow();
  });
});
