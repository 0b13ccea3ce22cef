/** Width of a text in pixels, never less than it is drawn: no font is at hand to measure with. Wide scripts count double. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const char of text) width += (char.codePointAt(0) ?? 0) > 0x2e7f ? 1.05 : 0.6;
  return Math.ceil(width * fontSize);
}

export function clip(text: string, characters: number): string {
  const all = [...text];
  return all.length > characters
    ? `${all
        .slice(0, characters - 1)
        .join("")
        .trimEnd()}…`
    : text;
}
