import { describe, expect, test } from "vitest";
import type { PipelineStep } from "../../crd/agentpipeline.ts";
import type { Item } from "../../engine/result.ts";
import { allowListFor, hostAllowed, portAllowed } from "../../lib/allow-list.ts";

type Egress = PipelineStep["egress"];
const byItem = { item: true };

describe("the allow-list of a step", () => {
  test.each<[what: string, egress: Egress, item: Item | undefined, workload: string[], expected: string[]]>([
    ["nothing without egress", undefined, "https://shop.example/", ["cdn.example"], []],
    ["nothing with an empty egress", { item: false }, "https://shop.example/", ["cdn.example"], []],
    ["the item's host and its twin", byItem, "https://shop.example/x", [], ["shop.example", "www.shop.example"]],
    [
      "the twin of a www name, and the workload's rules",
      byItem,
      "http://www.shop.example/",
      ["*.cdn.example"],
      ["www.shop.example", "shop.example", "*.cdn.example"],
    ],
    [
      "the port of an item that has one of its own",
      byItem,
      "http://shop.example:8080/",
      [],
      ["shop.example", "www.shop.example", "shop.example:8080", "www.shop.example:8080"],
    ],
    [
      "of two rules that the step and the workload have the same ports",
      { item: false, allow: ["a.cdn.example:8443", "b.cdn.example", "c.cdn.example:8443"] },
      undefined,
      ["*.cdn.example:8443", "c.cdn.example:9000"],
      ["a.cdn.example:8443", "c.cdn.example:8443"],
    ],
    ["the host of an absolute name", byItem, "http://SHOP.example./", [], ["shop.example", "www.shop.example"]],
    ["the url of an object", byItem, { url: "https://a.example/p", depth: 1 }, [], ["a.example", "www.a.example"]],
    ["the workload's rules for an item without a URL", byItem, "no URL", ["cdn.example"], ["cdn.example"]],
    ["the workload's rules for an object without a url", byItem, { name: "x" }, ["cdn.example"], ["cdn.example"]],
    ["the workload's rules for a single step", byItem, undefined, ["cdn.example"], ["cdn.example"]],
    ["each host once", byItem, "https://a.example/", ["a.example"], ["a.example", "www.a.example"]],
    [
      "of the workload's rules those that the step names",
      { item: false, allow: ["a.example", "b.example"] },
      "https://shop.example/",
      ["b.example", "c.example"],
      ["b.example"],
    ],
    [
      "a host that a subdomain rule of the workload covers",
      { item: false, allow: ["a.cdn.example", "*.b.cdn.example", "cdn.example"] },
      undefined,
      ["*.cdn.example"],
      ["a.cdn.example", "*.b.cdn.example"],
    ],
    [
      "no more of a subdomain rule than the workload allows",
      { item: false, allow: ["*.example"] },
      undefined,
      ["any.cdn.example", "*.b.example", "example"],
      ["any.cdn.example", "*.b.example"],
    ],
    [
      "nothing of a subdomain rule where the workload allows one host beside it",
      { item: false, allow: ["*.cdn.example"] },
      undefined,
      ["cdn.example", "evilcdn.example"],
      [],
    ],
    [
      "the item's host beside what the step names",
      { item: true, allow: ["b.example"] },
      "https://shop.example/",
      ["b.example", "c.example"],
      ["shop.example", "www.shop.example", "b.example"],
    ],
    ["nothing beyond an empty list", { item: false, allow: [] }, undefined, ["b.example"], []],
  ])("has %s", (_what, egress, item, workload, expected) => {
    expect(allowListFor({ egress }, item, workload)).toEqual(expected);
  });
});

describe("a port against the list", () => {
  test.each([
    ["shop.example", 443, ["shop.example"], true],
    ["shop.example", 80, ["shop.example"], true],
    ["shop.example", 22, ["shop.example"], false],
    ["shop.example", 8443, ["shop.example:8443"], true],
    ["shop.example", 443, ["shop.example:8443"], false],
    ["a.cdn.example", 8443, ["*.cdn.example:8443"], true],
    ["a.cdn.example", 8443, ["*.cdn.example", "b.cdn.example:8443"], false],
  ])("%s:%d against %j: %s", (host, port, allow, expected) => {
    expect(portAllowed(host, port, allow)).toBe(expected);
  });
});

describe("a host against the list", () => {
  test.each([
    ["shop.example", ["shop.example"], true],
    ["SHOP.example.", ["shop.example"], true],
    ["evil-shop.example", ["shop.example"], false],
    ["shop.example.evil.example", ["shop.example"], false],
    ["a.cdn.example", ["*.cdn.example"], true],
    ["a.b.cdn.example", ["*.cdn.example"], true],
    ["a.cdn.example", ["*.cdn.example:8443"], true],
    ["cdn.example", ["*.cdn.example"], false],
    [".cdn.example", ["*.cdn.example"], false],
    ["evilcdn.example", ["*.cdn.example"], false],
    ["127.0.0.1", ["shop.example"], false],
    ["anything.example", [], false],
  ])("%s against %j: %s", (host, allow, expected) => {
    expect(hostAllowed(host, allow)).toBe(expected);
  });
});
