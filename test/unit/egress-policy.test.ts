import { describe, expect, test } from "vitest";
import { parseRange } from "../../egress/address.ts";
import { decideTarget, type Target } from "../../egress/policy.ts";
import { attacked } from "../attempts.ts";

const PUBLIC = "93.184.216.34";
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  "shop.example": [PUBLIC, "2606:2800:220:1::"],
  "inner.example": ["10.0.0.7"],
  "mixed.example": [PUBLIC, "10.0.0.7"],
  "nothing.example": [],
  "node.example": ["203.5.113.9"],
  redis: [PUBLIC],
};
const DENIED = [parseRange("203.5.113.0/24") ?? never(), parseRange("2a05:d000::1") ?? never()];
function never(): never {
  throw new Error("no range");
}
const FIXED = new Map<string, Target>([
  ["local.example", { address: "127.0.0.1", port: 8080 }],
  ["unlisted.example", { address: "127.0.0.1", port: 8080 }],
]);

function decide(host: string, { allow = ["*.example"], port = 443, code = "ENOTFOUND" } = {}) {
  const lookupAll = async (name: string): Promise<string[]> => {
    const found = ADDRESSES[name];
    if (found) return [...found];
    throw Object.assign(new Error("no answer"), { code });
  };
  return decideTarget({ host, port, allow }, { resolve: FIXED, denied: DENIED, lookupAll });
}

describe("where a connection goes", () => {
  test.each<[string, string, Parameters<typeof decide>[1], object]>([
    [
      "the first address of the name, and the port that was asked for",
      "shop.example",
      { port: 8443, allow: ["shop.example", "shop.example:8443"] },
      { address: PUBLIC, port: 8443 },
    ],
    ["by http, too", "shop.example", { port: 80 }, { address: PUBLIC, port: 80 }],
    ["nowhere for a port that nobody allowed", "shop.example", { port: 6379 }, { reason: "PortNotAllowed" }],
    [
      "nor for the web's ports of a host of which another port is allowed",
      "shop.example",
      { allow: ["shop.example:8443"] },
      { reason: "PortNotAllowed" },
    ],
    [
      "nor for the port of another host",
      "shop.example",
      { port: 8443, allow: ["shop.example", "other.example:8443"] },
      { reason: "PortNotAllowed" },
    ],
    ["nor to an address of the cluster that looks public", "node.example", {}, { reason: "AddressNotPublic" }],
    [
      "nor for a name without a dot, which a cluster's resolver completes",
      "redis",
      { allow: ["redis"] },
      { reason: "HostNotFound" },
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
    if ("reason" in decision) attacked();
    expect(await decide(host, asked)).toMatchObject(decision);
  });
});
