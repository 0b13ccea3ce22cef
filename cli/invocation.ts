/** This program as its user types it. npx sets npm_command. */
export function program(): string {
  return process.env["npm_command"] === "exec" ? "npx agentic" : "agentic";
}

/** The command that continues this run, for a shell. `make demo` sets AGENTIC_COMMAND to itself. */
export function sameCommand(): string {
  return process.env["AGENTIC_COMMAND"] ?? [program(), ...process.argv.slice(2).map(quoted)].join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
