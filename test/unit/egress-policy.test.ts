import { describe, expect, test } from "vitest";
import { decideTarget, type Target } from "../../egress/policy.ts";

const PUBLIC = "93.184.216.34";
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  "shop.example": [PUBLIC, "2606:2800:220:1::"],
  "inner.example": ["10.0.0.7"],
  "mixed.example": [PUBLIC, "10.0.0.7"],
  "nothing.example": [],
};
const FIXED = new Map<string, Target>([
  ["local.example", { address: "127.0.0.1", port: 8080 }],
  ["unlisted.example", { address: "127.0.0.1", port: 8080 }],
]);

function decide(host: string, { allow = ["*.example"], port = 443, code = "ENOTFOUND" } = {}) {
  return decideTarget({ host, port, allow }, FIXED, async (name) => {
    const found = ADDRESSES[name];
    if (found) return [...found];
    throw Object.assign(new Error("no answer"), { code });
  });
}

describe("where a connection goes", () => {
  test.each<[string, string, Parameters<typeof decide>[1], object]>([
    [
      "the first address of the name, and the port that was asked for",
      "shop.example",
      { port: 8443 },
      { address: PUBLIC, port: 8443 },
    ],
    ["however the name is written", "SHOP.example.", {}, { address: PUBLIC, port: 443 }],
    [
      "the fixed address and port of a name, a private one included",
      "local.example",
      {},
      { address: "127.0.0.1", port: 8080 },
    ],
    [
      "nowhere for a host that is not on the list",
      "shop.example",
      { allow: ["other.example"] },
      { reason: "HostNotAllowed" },
    ],
    ["nor for one with a fixed address", "unlisted.example", { allow: ["shop.example"] }, { reason: "HostNotAllowed" }],
    ["nor to a private address", "inner.example", {}, { reason: "AddressNotPublic" }],
    ["nor to a public one beside a private one", "mixed.example", {}, { reason: "AddressNotPublic" }],
    ["nor for a name without an address", "nothing.example", {}, { reason: "HostNotFound" }],
    ["nor for a name that is not there", "lost.example", {}, { reason: "HostNotFound" }],
    ["nor while the name server is away", "lost.example", { code: "EAI_AGAIN" }, { reason: "NameServerUnavailable" }],
  ])("%s", async (_what, host, asked, decision) => {
    expect(await decide(host, asked)).toMatchObject(decision);
  });
});
