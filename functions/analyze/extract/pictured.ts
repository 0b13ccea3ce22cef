import { boxOf } from "./marks.ts";
import { findMoney } from "./money.ts";
import { type PageDocument, textOf } from "./visible.ts";

const ABOUT_PRICES =
  /(?<!\p{L})(?:pricing|prices?|price list|plans|tariffs?|preise?|preisliste|tarife?|tarifs?|prix|precios?|tarifas|planes|prezzi|preços|planos|prijzen|priser)(?!\p{L})/iu;
/** CSS pixels: smaller pictures are icons and portraits. */
const LARGE = 60_000;
/** Characters: what wraps longer text has it in parts. */
const MAX_TEXT = 200;

/** Whether a page about prices has no amount in its text, but a picture that is large enough for some. */
export function pricesMayBePictures(document: PageDocument, url: string, title: string): boolean {
  const headings = [...document.querySelectorAll("h1, h2")].map(textOf);
  if (![new URL(url).pathname, title, ...headings].some((text) => ABOUT_PRICES.test(text))) return false;
  const texts = [...document.querySelectorAll("p, li, td, th, span, strong, b, h1, h2, h3, h4, div")].map(textOf);
  if (texts.some((text) => text.length <= MAX_TEXT && findMoney(text).length > 0)) return false;
  return [...document.querySelectorAll("img, canvas, object, embed, video")].some((picture) => {
    const box = boxOf(picture);
    return box !== undefined && box.width * box.height >= LARGE;
  });
}
