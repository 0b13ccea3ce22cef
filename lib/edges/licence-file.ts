import { readFile } from "node:fs/promises";
import { licenceKeys } from "../licence/keys.ts";
import { type LicenceReading, readLicence } from "../licence/licence.ts";

/** The licence of this installation as it is now; undefined: there is none. Never throws: what is wrong with it is said. */
export type ReadLicence = () => Promise<LicenceReading | undefined>;

/**
 * A file that a Secret is mounted as: a renewed licence is there without a new pod. It is read each time, which costs less than knowing when
 * not to, and its signature is looked at when it has changed.
 */
export function licenceFile(file: string | undefined, furtherKeys: string | undefined): ReadLicence {
  let last: { readonly text: string; readonly reading: LicenceReading } | undefined;
  return async () => {
    if (file === undefined) return undefined;
    try {
      const text = await readFile(file, "utf8");
      if (last?.text !== text) last = { text, reading: await readLicence(text, licenceKeys(furtherKeys)) };
      return last.reading;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
