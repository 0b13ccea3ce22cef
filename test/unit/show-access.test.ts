import { expect, test } from "vitest";
import { mayShow } from "../../functions/scrape/show-access.ts";

const ACCESS = { "shop.example": { headers: { "X-Key": "a" } } };

test.each([
  ["https://shop.example/plans", "https://shop.example/", true],
  ["https://shop.example:8443/", "https://shop.example/", true],
  ["https://SHOP.example/", "http://shop.example/", true],
  ["http://shop.example/", "http://shop.example/", true],
  // Whoever listens to the network would read it.
  ["http://shop.example/", "https://shop.example/", false],
  ["https://sub.shop.example/", "https://shop.example/", false],
  ["https://notshop.example/", "https://shop.example/", false],
  ["https://shop.example.evil.example/", "https://shop.example/", false],
  ["https://evil.example/?https://shop.example/", "https://shop.example/", false],
  ["https://shop.example@evil.example/", "https://shop.example/", false],
  ["https://constructor/", "https://shop.example/", false],
])("what is held for shop.example is shown to %s of the page %s: %s", (asked, page, expected) => {
  expect(mayShow(new URL(asked), new URL(page), ACCESS)).toBe(expected);
});
