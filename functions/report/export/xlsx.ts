import writeExcel, { type CellObject } from "write-excel-file/node";
import type { Report } from "../report.ts";
import { datedZip } from "./dated-zip.ts";
import { type Cell, sheetsOf } from "./sheets.ts";
import { xmlText } from "./xml-text.ts";

/** Of one cell: Excel takes no more. */
const MAX_CELL = 32_000;
/** Of one sheet: Excel takes 1,048,576. */
const MAX_ROWS = 1_000_000;

/** report.xlsx: numbers, amounts and times as such, everything else as text, which no program takes for a formula. */
export async function reportXlsx(report: Report): Promise<Uint8Array> {
  const sheets = sheetsOf(report).map(({ name, columns, rows }) => ({
    sheet: name,
    columns: columns.map(([, width]) => ({ width })),
    stickyRowsCount: 1,
    data: [
      columns.map(
        ([title]): CellObject => ({
          value: xmlText(title),
          type: String,
          fontWeight: "bold",
          backgroundColor: "#F4F2EC",
        }),
      ),
      ...rows.slice(0, MAX_ROWS).map((row) => row.map(cellOf)),
    ],
  }));
  return datedZip(await writeExcel(sheets).toBuffer(), report.date);
}

function cellOf(cell: Cell): CellObject | null {
  if (cell === null || cell === undefined || cell === "") return null;
  if (typeof cell === "number") return { value: cell, type: Number };
  if (typeof cell === "boolean") return { value: cell, type: Boolean };
  if (typeof cell === "string")
    return { value: xmlText(cell).slice(0, MAX_CELL).toWellFormed(), type: String, alignVertical: "top" };
  if ("at" in cell) return { value: new Date(cell.at), type: Date, format: "yyyy-mm-dd hh:mm" };
  return { value: cell.amount, type: Number, format: formatOf(cell.currency) };
}

/** What stands for the currency is text of a page: only a code of letters becomes a part of a format. */
function formatOf(currency: string): string {
  return /^[A-Z]{3}$/.test(currency) ? `[$${symbolOf(currency)}]#,##0.00` : "#,##0.00";
}

function symbolOf(currency: string): string {
  const parts = new Intl.NumberFormat("en-US", { style: "currency", currency }).formatToParts(0);
  return parts.find(({ type }) => type === "currency")?.value.trim() ?? currency;
}
