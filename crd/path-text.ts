/** Where in an object something is: keys and indexes. */
export type Path = readonly (string | number)[];

/** As in spec.steps[3].name. */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${part}` : part),
    "",
  );
}
