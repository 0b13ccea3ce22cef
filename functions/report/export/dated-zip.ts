import { strFromU8, strToU8, type Unzipped, unzipSync, zipSync } from "fflate";

/**
 * An Office file whose every date is `date`: of the entries of its archive, of its properties, and of the workbooks inside. The libraries
 * write their clock, and a node that is repeated must leave the same bytes. `renamed`: what becomes of the names of entries.
 */
export function datedZip(
  archive: Uint8Array,
  date: string,
  renamed: (text: string) => string = (text) => text,
): Uint8Array<ArrayBuffer> {
  const entries: Unzipped = {};
  for (const [original, bytes] of Object.entries(unzipSync(archive))) {
    const name = renamed(original);
    // Folders are no part of an Office file.
    if (name.endsWith("/")) continue;
    if (name.endsWith(".xlsx")) entries[name] = datedZip(bytes, date);
    else if (name === "docProps/core.xml")
      entries[name] = edited(bytes, (text) => text.replace(TIME, `$1${date.slice(0, 19)}Z<`));
    else entries[name] = NAMES_OTHERS.test(name) ? edited(bytes, renamed) : new Uint8Array(bytes);
  }
  return zipSync(entries, { level: 6, mtime: localTime(date) });
}

/** Entries that name others. */
const NAMES_OTHERS = /\.rels$|^\[Content_Types\]\.xml$/;

const edited = (bytes: Uint8Array, edit: (text: string) => string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(strToU8(edit(strFromU8(bytes))));

const TIME = /(<dcterms:(?:created|modified)[^>]*>)[^<]*</g;

/** Archives have times of no zone: fflate writes the machine's, so this has the date's figures in it. */
function localTime(date: string): Date {
  const [year = 1980, month = 1, day = 1, hour = 0, minute = 0, second = 0] = date.split(/\D/).map(Number);
  return new Date(Math.max(year, 1980), month - 1, day, hour, minute, second);
}
