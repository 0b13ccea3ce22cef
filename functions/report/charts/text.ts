/** Width of a text in pixels, never less than it is drawn: no font is at hand to measure with. Wide scripts count double. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const char of text) width += (char.codePointAt(0) ?? 0) > 0x2e7f ? 1.05 : 0.6;
  return Math.ceil(width * fontSize);
}

/** Shortened in the middle: what tells two long names apart is often at the end. */
export function clip(text: string, characters: number): string {
  const all = [...text];
  if (all.length <= characters) return text;
  const tail = Math.floor((characters - 1) / 3);
  return `${all
    .slice(0, characters - 1 - tail)
    .join("")
    .trimEnd()}…${all.slice(-tail).join("").trimStart()}`;
}
