import type { Mention } from "./mentions.ts";
import { asName, BOOKS, firstLine, headingIn, isBooked, withoutPrice } from "./offer-name.ts";
import { type PageElement, textOf } from "./visible.ts";

/** An offer's place in a table, before its price is read. */
export interface TableOffer {
  readonly name: string;
  readonly mention: Mention;
  readonly root: PageElement;
  /** Words of the column's or row's head that may say the period. */
  readonly heads: string;
}

const TABLES = "table, [role='table'], [role='grid']";
export const CELLS = "td, th, [role='cell'], [role='gridcell'], [role='columnheader'], [role='rowheader']";

/** The table that a price stands in; undefined for one that only lays out a card: a column, or what it says of one product. */
export function tableOf(element: PageElement): PageElement | undefined {
  const cell = element.closest(CELLS);
  const table = cell?.closest(TABLES);
  if (!table) return undefined;
  const rows = [...table.querySelectorAll("tr, [role='row']")];
  const widest = Math.max(0, ...rows.map((row) => row.children.length));
  const label = cell?.parentElement?.firstElementChild;
  if (widest === 1) return undefined;
  const isSheet = widest === 2 && label && label !== cell && PRICE_LABEL.test(textOf(label));
  return isSheet ? undefined : table;
}

/** Characters of a cell with a price and its terms. */
const MAX_CELL = 40;
const MAX_ROWS = 12;

/** The name above a cell of a row of cells, each with nothing but a price, in the same place of a row without prices. */
export function headOf(
  cell: PageElement,
  row: PageElement,
  isPriced: (element: PageElement) => boolean,
): string | undefined {
  const cells = [...row.children];
  const priced = cells.filter(isPriced);
  const isRow = priced.length > 1 && priced.length >= cells.length - 1;
  if (!isRow || priced.some((one) => textOf(one).length > MAX_CELL || headingIn(one))) return undefined;
  const at = cells.indexOf(cell);
  let above = row.previousElementSibling;
  let named: string | undefined;
  for (let rows = 0; above && rows < MAX_ROWS; rows++, above = above.previousElementSibling) {
    const heads = [...above.children];
    if (heads.length !== cells.length || isPriced(above)) continue;
    const names = heads.map((one) => asName(firstLine(one)));
    if (priced.every((one) => names[cells.indexOf(one)])) named = names[at];
  }
  return named;
}

/** Tables of plans: one column or one row for each. */
export function offersInTable(table: PageElement, mentions: readonly Mention[]): TableOffer[] {
  const rows = [...table.querySelectorAll("tr, [role='row']")].map((row) => [...row.children]);
  const mentionOf = (cell: PageElement): Mention | undefined =>
    mentions.find(({ element }) => cell === element || cell.contains(element));
  // A title above the heads spans all columns.
  const heads = rows.find((row) => row.length > 1) ?? rows[0] ?? [];
  const listed = isPriceList(rows, heads, mentionOf);
  const caption = textOf(table.querySelector("caption") ?? table.ownerDocument.createElement("caption"));
  if (heads.length > 2 && heads.filter((head) => BOOKS.test(textOf(head))).length >= 2) return [];
  const titled = heads.findIndex((head) => NAMING.test(textOf(head)));
  const taken = new Set<number>();
  const found: TableOffer[] = [];
  for (const row of rows) {
    const priced = row.flatMap((cell, column) => {
      const mention = mentionOf(cell);
      return mention ? [{ cell, column, mention }] : [];
    });
    if (!priced.some(({ mention }) => mention.kind === "money") || isBooked(row.map(textOf))) continue;
    const columns = priced.filter(({ cell, column }) => columnName(heads[column], cell, row === heads) !== undefined);
    if ((columns.length >= 2 && !listed) || (row === heads && columns.length > 0)) {
      for (const { cell, column, mention } of columns) {
        const name = columnName(heads[column], cell, row === heads);
        // The first row with prices has those of the plans; later ones have extras.
        if (name && !taken.has(column))
          found.push({ name, mention, root: cell, heads: `${textOf(row[0] ?? cell)} ${caption}` });
        taken.add(column);
      }
      continue;
    }
    const [first] = priced;
    const names = row.map((cell) => (mentionOf(cell) ? undefined : asName(firstLine(cell))));
    const name = names[titled] ?? names.find((one) => one);
    const root = first?.cell.parentElement;
    if (first && name && root)
      found.push({
        name,
        mention: first.mention,
        root,
        heads: `${textOf(heads[first.column] ?? first.cell)} ${caption}`,
      });
  }
  return found;
}

/** The head of the column of names. */
const NAMING =
  /^(?:(?:product|plan|item|service|package|course|model|ticket)(?: name)?|name|title|description of (?:item|product)|produkt|artikel|bezeichnung|produit|article|producto|artículo|prodotto|produto)s?$/iu;
const PRICE_LABEL = /^(?:(?:monthly|yearly|annual|our|unit) )?(?:price|cost|fee|preis|prix|precio)s?[:.]?$/iu;
const PRICE_KIND =
  /(?<!\p{L})(?:prices?|monthly|yearly|annual(?:ly)?|per|month|year|cost|fees?|set-?up|regist(?:er|ration)|renew(?:al)?|transfer|rate|weekly|daily|one-time|preis\p{L}*|monatlich|jährlich)(?!\p{L})/iu;
/** Rows of a list of products, each with several prices. */
const MIN_LISTED = 3;

/** Whether a table with several prices in a row has a product in each row, and kinds of price in its columns. */
function isPriceList(
  rows: readonly (readonly PageElement[])[],
  heads: readonly PageElement[],
  mentionOf: (cell: PageElement) => Mention | undefined,
): boolean {
  const several = rows.filter(
    (row) => row !== heads && row.filter((cell) => mentionOf(cell)?.kind === "money").length > 1,
  );
  const kinds = heads.slice(1).filter((head) => PRICE_KIND.test(textOf(head))).length;
  const labelled = several.filter(([label]) => label && !mentionOf(label) && !PRICE_KIND.test(textOf(label))).length;
  if (labelled < several.length || several.length === 0) return false;
  return kinds > 1 || several.length >= MIN_LISTED;
}

/** Undefined for a head that names no plan: "Monthly", "Price". */
function columnName(head: PageElement | undefined, cell: PageElement, isHead: boolean): string | undefined {
  const named = isHead ? cell : head;
  if (!named) return undefined;
  return headingIn(named)?.name ?? asName(withoutPrice(firstLine(named)));
}
