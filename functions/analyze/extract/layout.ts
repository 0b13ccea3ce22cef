import type { PageDocument } from "./visible.ts";

const PARTS: readonly (readonly [name: string, selector: string])[] = [
  ["navigation bar", "nav, header"],
  ["hero", "[class*='hero' i], [class*='masthead' i], [class*='jumbotron' i], header h1"],
  ["pricing table", "[class*='pricing' i], [id*='pricing' i], [class*='plan' i]"],
  ["cards", "[class*='card' i]"],
  ["testimonials", "blockquote, [class*='testimonial' i]"],
  ["customer logos", "[class*='logos' i], [class*='clients' i]"],
  ["FAQ", "details, [class*='faq' i], [id*='faq' i]"],
  ["table", "table"],
  ["form", "form"],
  ["video", "video, iframe[src*='youtube'], iframe[src*='vimeo']"],
  ["footer", "footer"],
];

/** What the page is made of, by its markup. */
export function findLayout(document: PageDocument): string[] {
  const parts = PARTS.filter(([, selector]) => document.querySelector(selector)).map(([name]) => name);
  const columns = Math.max(
    0,
    ...[...document.querySelectorAll("[class*='grid' i], [class*='row' i], [class*='columns' i]")].map(
      (row) => row.children.length,
    ),
  );
  return columns >= 2 && columns <= 6 ? [...parts, `up to ${columns} columns`] : parts;
}
