import { type Box, boxOf } from "./marks.ts";
import { findMoney } from "./money.ts";
import { type PageDocument, textOf } from "./visible.ts";

const ABOUT_PRICES =
  /(?<!\p{L})(?:pricing|prices?|price list|plans|tariffs?|preise?|preisliste|tarife?|tarifs?|prix|precios?|tarifas|planes|prezzi|preços|planos|prijzen|priser)(?!\p{L})/iu;
/** CSS pixels: smaller pictures are icons and portraits. */
const LARGE = 60_000;
/** Characters: what wraps longer text has it in parts. */
const MAX_TEXT = 200;

/** CSS pixels: what is higher, a model that sees it whole cannot read. */
const MAX_HEIGHT = 800;

/** What a reader of the report must know of a page whose prices no text says. */
export const PICTURED =
  "The page is about prices and shows none as text: they may be in a picture, which is not read without a model.";

/** Where prices may be that no text says: on a page about prices without an amount, its largest picture, and others beside it. */
export function pricesInPictures(document: PageDocument, url: string, title: string): Box | undefined {
  const headings = [...document.querySelectorAll("h1, h2")].map(textOf);
  if (![new URL(url).pathname, title, ...headings].some((text) => ABOUT_PRICES.test(text))) return undefined;
  const texts = [...document.querySelectorAll("p, li, td, th, span, strong, b, h1, h2, h3, h4, div")].map(textOf);
  if (texts.some((text) => text.length <= MAX_TEXT && findMoney(text).length > 0)) return undefined;
  const areaOf = ({ width, height }: Box) => width * height;
  const [largest, ...others] = [...document.querySelectorAll("img, canvas, object, embed, video")]
    .flatMap((picture) => boxOf(picture) ?? [])
    .filter((box) => areaOf(box) >= LARGE)
    .toSorted((one, other) => areaOf(other) - areaOf(one));
  return (
    largest &&
    others.reduce((shown, other) => {
      const both = around(shown, other);
      return both.height <= MAX_HEIGHT ? both : shown;
    }, largest)
  );
}

function around(one: Box, other: Box): Box {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  const right = Math.max(one.x + one.width, other.x + other.width);
  const bottom = Math.max(one.y + one.height, other.y + other.height);
  return { x, y, width: right - x, height: bottom - y };
}
