import { KIND_NAMES } from "../finding.js";
import type { Audit } from "./audit.js";

const COLUMNS = ["Site", "Page", "Kind", "Rule", "Impact", "What", "Here", "Where", "Evidence", "Help"];

/** One line a finding, RFC 4180. */
export function findingsCsv({ sites }: Audit): string {
  const rows = sites.flatMap(({ site, pages }) =>
    pages.flatMap(({ url, findings }) =>
      findings.map(({ kind, rule, impact, title, detail, where, evidence = "", help = "" }) =>
        [site, url, KIND_NAMES[kind], rule, impact, title, detail, where, evidence, help].map(cell),
      ),
    ),
  );
  return [COLUMNS, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

/** Quoted where needed. A cell that a spreadsheet would compute is made text: pages decide what stands in it. */
function cell(value: string): string {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
