/** This program as its user types it: npx tells by npm_command. */
export function program(): string {
  return process.env["npm_command"] === "exec" ? "npx agentic" : "agentic";
}

/** What goes on with this run, to be pasted into a shell; `make demo` says that it is itself. */
export function sameCommand(): string {
  return process.env["AGENTIC_COMMAND"] ?? [program(), ...process.argv.slice(2).map(quoted)].join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
