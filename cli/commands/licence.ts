import { readFile } from "node:fs/promises";
import { licenceKeys } from "../../lib/licence/keys.ts";
import { type Licence, readLicence } from "../../lib/licence/licence.ts";
import { isInForce, type Standing, standingOf } from "../../lib/licence/standing.ts";
import { EXIT } from "../exit-code.ts";
import { licenceDocument, licenceText } from "../licence-text.ts";

export interface LicenceOptions {
  /** A file with the JWKS of further issuers. */
  readonly keys?: string;
  readonly output: "text" | "json";
}

/** `agentic licence show FILE`: what it says, and how it stands today. */
export async function showLicence(file: string, options: LicenceOptions, now: Date): Promise<number> {
  const read = await licenceIn(file, options, now);
  if (!read) return EXIT.invalid;
  const { licence, standing } = read;
  process.stdout.write(
    options.output === "json"
      ? `${JSON.stringify(licenceDocument(licence, standing), null, 2)}\n`
      : licenceText(licence, standing),
  );
  return EXIT.succeeded;
}

/** `agentic licence verify FILE`: whether new runs start under it today. */
export async function verifyLicence(file: string, options: LicenceOptions, now: Date): Promise<number> {
  const read = await licenceIn(file, options, now);
  if (!read) return EXIT.invalid;
  const { notice } = read.standing;
  const counts = isInForce(read.standing);
  if (options.output === "json")
    process.stdout.write(`${JSON.stringify({ valid: counts, ...(notice ? { notice } : {}) }, null, 2)}\n`);
  else if (counts) process.stdout.write(`${file}: valid${notice ? `. ${notice.message}` : ""}\n`);
  else process.stderr.write(`agentic: ${file}: ${notice?.message}\n`);
  return counts ? EXIT.succeeded : EXIT.failed;
}

/** @returns undefined, with a line on stderr, where it is no licence. @throws Error where a file cannot be read */
async function licenceIn(
  file: string,
  { keys }: LicenceOptions,
  now: Date,
): Promise<{ licence: Licence; standing: Standing } | undefined> {
  const trusted = licenceKeys(keys === undefined ? undefined : await readFile(keys, "utf8"));
  const licence = await readLicence(await readFile(file, "utf8"), trusted);
  if (!("problem" in licence)) return { licence, standing: standingOf(licence, now, undefined) };
  process.stderr.write(`agentic: ${file} is no licence that counts: ${licence.problem}\n`);
  return undefined;
}
