import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { maskPersonalData } from "../../lib/personal-data.ts";

test.each([
  ["Write to ada.lovelace+shop@mail.example.co.uk today", "en", "Write to [mail] today"],
  ["mailto:grüße@bücher.example", "de", "mailto:[mail]"],
  ["Call +49 30 901820 or +1 (415) 555-2671.", "en", "Call [phone] or [phone]."],
  ["Rufen Sie an: 030 / 901820", "de", "Rufen Sie an: [phone]"],
  ["Call (415) 555-2671 now", "en", "Call [phone] now"],
  ["Appelez le 01 42 68 53 00", "fr-FR", "Appelez le [phone]"],
  ["Card 4111 1111 1111 1111, thanks", "en", "Card [card], thanks"],
  ["5555555555554444", "en", "[card]"],
])("%s", (text, language, masked) => {
  expect(maskPersonalData(text, language)).toBe(masked);
});

test.each([
  ["From $1,299.00 a month, 4.9 of 5 stars, 12,000 customers since 2019."],
  ["29 € / Monat, ab 1.299,00 € im Jahr, 24/7, ISO 27001"],
  ["Open 9-5, 2024-11-30, 10:00–18:30, 50% off 1 200 000 items"],
  ["@handle and user at example dot com"],
  ["Order 4111 1111 1111 1112, v1.2.3.4"],
  [""],
])("stays: %s", (text) => {
  expect(maskPersonalData(text)).toBe(text);
});

test("a language that is none", () => {
  expect(maskPersonalData("(415) 555-2671", "not a language")).toBe("[phone]");
});

test("prices on real pages stay", () => {
  const pages = globSync("node_modules/startbootstrap-*/{dist/,}*.html");
  expect(pages.length).toBeGreaterThan(30);
  const price = /[$€£]\s?\d[\d.,]*/g;
  for (const page of pages) {
    const text = readFileSync(page, "utf8").replace(/<[^>]*>/g, " ");
    expect(maskPersonalData(text).match(price)).toEqual(text.match(price));
  }
});
