import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { imageCache } from "./cache.ts";
import { output } from "./command.ts";

/** Where certificate bundles are, by distribution. */
const BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/**
 * This machine's way to its package sources, as files that build steps read and no layer keeps: npm's and pip's settings, and
 * the certificates that this machine trusts.
 */
export function lendSettings(): Record<string, string> {
  const home = homedir();
  const ca = process.env["NODE_EXTRA_CA_CERTS"] ?? BUNDLES.find(existsSync);
  const pip = ["/etc/pip.conf", join(home, ".config/pip/pip.conf"), join(home, ".pip/pip.conf")];
  return {
    npmrc: lent("npmrc", [readIf(join(home, ".npmrc")), `registry=${output("npm", ["config", "get", "registry"])}`]),
    pip: lent("pip.conf", [pip.map(readIf).find((text) => text !== "") ?? ""]),
    ...(ca === undefined ? {} : { ca }),
  };
}

function lent(name: string, lines: readonly string[]): string {
  const path = join(imageCache, `lent-${name}`);
  writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  return path;
}

function readIf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
