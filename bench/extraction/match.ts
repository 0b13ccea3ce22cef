/** When a text that was found is the text that a person saw. Pure. */

/** Words alone: without case, white space, quotation marks, punctuation, arrows and icons. */
export function fold(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/['’]/g, "")
    .replace(/[^\p{L}\p{M}\p{N}\p{Sc}%+]+/gu, " ")
    .trim();
}

/** "Sign-up now →" is "Sign up now". */
export function isSame(a: string, b: string): boolean {
  return fold(a) === fold(b);
}

/** Words that a part of a statement has at least to stand for it: fewer stand in any sentence. */
const MIN_WORDS = 4;
/** Of the words of both statements, those that they share. */
const MIN_SHARED = 0.8;

/** Of statements: a quote is found with its author, cut after its first sentence, or with another word order; a name must be the same. */
export function isSaidBy(truth: string, found: string): boolean {
  const [a, b] = [fold(truth), fold(found)];
  if (a === b) return true;
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  const words = shorter.split(" ");
  if (words.length < MIN_WORDS) return false;
  return ` ${longer} `.includes(` ${shorter} `) || shared(words, longer.split(" ")) >= MIN_SHARED;
}

/** Sørensen–Dice, of bags of words. */
function shared(a: readonly string[], b: readonly string[]): number {
  const left = [...b];
  let both = 0;
  for (const word of a) {
    const at = left.indexOf(word);
    if (at < 0) continue;
    left.splice(at, 1);
    both++;
  }
  return (2 * both) / (a.length + b.length);
}
