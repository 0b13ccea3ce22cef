import { describe, expect, test } from "vitest";
import { allowListFor, hostAllowed } from "../../lib/allow-list.ts";

describe("allow-list", () => {
  test.each([
    ["https://shop.example/x", [], ["shop.example", "www.shop.example"]],
    ["http://www.shop.example:8080/", ["*.cdn.example"], ["www.shop.example", "shop.example", "*.cdn.example"]],
    [undefined, ["a.example"], ["a.example"]],
  ])("%s with %j", (site, extra, expected) => {
    expect(allowListFor(site, extra)).toEqual(expected);
  });

  test.each([
    ["shop.example", ["shop.example"], true],
    ["SHOP.example.", ["shop.example"], true],
    ["evil-shop.example", ["shop.example"], false],
    ["shop.example.evil.example", ["shop.example"], false],
    ["a.cdn.example", ["*.cdn.example"], true],
    ["a.b.cdn.example", ["*.cdn.example"], true],
    ["cdn.example", ["*.cdn.example"], false],
    ["evilcdn.example", ["*.cdn.example"], false],
    ["127.0.0.1", ["shop.example"], false],
    ["anything.example", [], false],
  ])("%s against %j: %s", (host, allow, expected) => {
    expect(hostAllowed(host, allow)).toBe(expected);
  });
});
