import { readFileSync } from "node:fs";

export function say(text: string): void {
  console.log(`cluster: ${text}`);
}

export function fail(text: string): never {
  console.error(`cluster: ${text}`);
  process.exit(1);
}

export function tail(file: string, lines = 30): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no log)";
  }
}
