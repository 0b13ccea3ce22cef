const INJECTION =
  /\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|your\s+|the\s+)*(?:previous|prior|above|earlier)\s+(?:instructions?|prompts?|rules)|\bignorier\w*\s+(?:alle\s+)?(?:vorherigen|bisherigen)\s+anweisungen|\b(?:you are|act as) (?:now )?an? (?:ai|assistant|language model)\b|\bsystem prompt\b/iu;

/** What a reader of the report must know of how this page was read. */
export function findCaveats(html: string): string[] {
  return INJECTION.test(html)
    ? ["The page tries to instruct the reader's model. It was read as data; nothing was obeyed."]
    : [];
}
