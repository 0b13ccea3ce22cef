import { describe, expect, test } from "vitest";
import { isPublicAddress, parseRange } from "../../egress/address.ts";
import { attacked } from "../attempts.ts";

describe("isPublicAddress", () => {
  test.each<[address: string, isPublic: boolean, what: string]>([
    ["93.184.216.34", true, "a public IPv4 address"],
    ["2606:2800:220:1:248:1893:25c8:1946", true, "a public IPv6 address"],
    ["[2606:2800:220:1:248:1893:25c8:1946]", true, "in brackets"],
    ["::ffff:93.184.216.34", true, "a public address, mapped"],
    ["10.0.0.1", false, "private"],
    ["172.16.0.1", false, "private"],
    ["172.31.255.255", false, "private"],
    ["192.168.1.1", false, "private"],
    ["127.0.0.1", false, "loopback"],
    ["127.255.255.254", false, "loopback"],
    ["2130706433", false, "loopback as one number"],
    ["0x7f000001", false, "loopback in hexadecimal"],
    ["0177.0.0.1", false, "loopback in octal"],
    ["127.1", false, "loopback, short"],
    ["169.254.169.254", false, "cloud metadata"],
    ["100.100.100.200", false, "cloud metadata in shared address space"],
    ["100.64.0.1", false, "carrier-grade NAT"],
    ["0.0.0.0", false, "unspecified"],
    ["0.1.2.3", false, "this network"],
    ["224.0.0.1", false, "multicast"],
    ["255.255.255.255", false, "broadcast"],
    ["240.0.0.1", false, "reserved"],
    ["192.0.2.1", false, "documentation"],
    ["198.18.0.1", false, "benchmarking"],
    ["::1", false, "loopback"],
    ["::", false, "unspecified"],
    ["fe80::1", false, "link-local"],
    ["fd00::1", false, "unique local"],
    ["fd00:ec2::254", false, "cloud metadata"],
    ["ff02::1", false, "multicast"],
    ["::ffff:127.0.0.1", false, "loopback, mapped"],
    ["::ffff:a9fe:a9fe", false, "metadata, mapped"],
    ["64:ff9b::7f00:1", false, "loopback, by NAT64"],
    ["64:ff9b::a9fe:a9fe", false, "metadata, by NAT64"],
    ["2002:7f00:1::", false, "loopback, by 6to4"],
    ["2001:0:0:1::", false, "Teredo"],
    ["2001:db8::1", false, "documentation"],
    ["::127.0.0.1", false, "loopback, v4-compatible"],
    ["64:ff9b:1::a00:1", false, "local-use NAT64"],
    ["168.63.129.16", false, "Azure's agent of the machine"],
    ["::ffff:168.63.129.16", false, "the same, mapped"],
    ["4000::1", false, "outside of the global unicast range"],
    ["fec0::1", false, "site-local, of old"],
    ["5f00::1", false, "segment routing"],
    ["100::1", false, "discard only"],
    ["example.com", false, "no address"],
    ["", false, "nothing"],
  ])("%s: %s (%s)", (address, isPublic) => {
    if (!isPublic) attacked();
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});

describe("ranges that are denied", () => {
  const range = (text: string) => parseRange(text) ?? [];
  test.each<[denied: string, address: string, isPublic: boolean]>([
    ["203.5.113.0/24", "203.5.113.255", false],
    ["203.5.113.0/24", "203.5.114.0", true],
    ["203.5.113.7", "203.5.113.7", false],
    ["203.5.113.7", "203.5.113.8", true],
    ["203.5.113.7", "::ffff:203.5.113.7", false],
    ["2a05:d000::/32", "2a05:d000:1::1", false],
    ["2a05:d000::1", "2a05:d000::1", false],
    ["2a05:d000::1", "203.5.113.7", true],
  ])("%s: %s is public: %s", (denied, address, isPublic) => {
    if (!isPublic) attacked();
    const parsed = parseRange(denied);
    expect(parsed).toBeDefined();
    expect(isPublicAddress(address, parsed ? [parsed] : [])).toBe(isPublic);
  });

  test.each(["", "cluster.local", "10.0.0.0/33"])("%j is none", (text) => {
    expect(range(text)).toEqual([]);
  });
});
