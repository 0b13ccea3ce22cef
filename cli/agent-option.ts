import { InvalidArgumentError } from "commander";

/** `--agent NAME=URL`, gathered over its uses. */
export function gatherAgent(value: string, previous: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, name, address] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  const url = URL.parse(address ?? "");
  if (name === undefined || (url?.protocol !== "http:" && url?.protocol !== "https:"))
    throw new InvalidArgumentError("expected NAME=URL, such as audit=http://127.0.0.1:8080");
  if (previous.has(name)) throw new InvalidArgumentError(`${name} has two addresses`);
  return new Map([...previous, [name, url.href]]);
}
