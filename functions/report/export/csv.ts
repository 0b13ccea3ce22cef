import type { Cell, Sheet } from "./sheets.ts";

/** RFC 4180. A text that a spreadsheet would take for a formula has an apostrophe before it. */
export function csvOf({ columns, rows }: Sheet): string {
  const lines = [columns.map(([title]) => title), ...rows];
  return lines.map((line) => `${line.map(field).join(",")}\r\n`).join("");
}

function field(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number" || typeof cell === "boolean") return String(cell);
  if (typeof cell === "object") return "at" in cell ? cell.at : String(cell.amount);
  const text = cell.toWellFormed();
  // Programs look past white space for the sign.
  const safe = /^\s*[=+\-@|%]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
