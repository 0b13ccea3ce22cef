/** Text of others, for a terminal: without what would steer it (escape sequences) or reorder it (bidirectional controls), on one line. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
}
