import { stringify } from "yaml";

/** What takes the place of a part of an object in its template. */
export type Mark =
  /** An expression of one line, alone or within a text. */
  | { readonly form: "inline"; readonly expression: string }
  /** A value as YAML. */
  | { readonly form: "block"; readonly expression: string }
  /** A field that is there where its value is not empty. */
  | { readonly form: "optional"; readonly expression: string }
  /** A field or an entry of a list that is there on a condition. */
  | { readonly form: "if"; readonly condition: string; readonly value: unknown }
  /** Lines of a template, in the place of a field's value. */
  | { readonly form: "lines"; readonly text: string };

const STARTS = "⟦";
const MARK = /⟦(\d+)⟧/g;
/** Helm reads YAML 1.1, in which `on` and `no` are no texts. */
const STRINGIFY = { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" } as const;

/** Writes objects with marks in them as a template: objects are data until then, and no text is searched for. */
export class TemplateWriter {
  readonly #marks: Mark[] = [];

  mark(mark: Mark): string {
    return `${STARTS}${this.#marks.push(mark) - 1}⟧`;
  }

  write(object: unknown): string {
    return this.#resolve(escaped(stringify(object, STRINGIFY)));
  }

  #resolve(yaml: string): string {
    return yaml
      .split("\n")
      .map((line) => this.#line(line))
      .join("\n");
  }

  #line(line: string): string {
    const field = /^(\s*(?:- )?)([^\s"'⟦]+): ⟦(\d+)⟧$/.exec(line);
    if (field) {
      const [, before = "", key = "", number = ""] = field;
      return this.#field(before, key, this.#at(number));
    }
    const entry = /^(\s*)- ⟦(\d+)⟧$/.exec(line);
    const mark = entry && this.#at(entry[2] ?? "");
    if (mark?.form === "if") return this.#conditional(mark.condition, [mark.value], entry?.[1]?.length ?? 0);
    return line.replaceAll(MARK, (_, number: string) => inline(this.#at(number)));
  }

  #field(before: string, key: string, mark: Mark): string {
    const column = before.length;
    const indent = " ".repeat(column);
    switch (mark.form) {
      case "inline":
        return `${before}${key}: ${inline(mark)}`;
      case "block":
        return `${before}${key}:\n${" ".repeat(column + 2)}{{- toYaml ${argument(mark.expression)} | nindent ${column + 2} }}`;
      case "optional":
        return [
          `${indent}{{- with ${mark.expression} }}`,
          `${before}${key}:`,
          `${indent}  {{- toYaml . | nindent ${column + 2} }}`,
          `${indent}{{- end }}`,
        ].join("\n");
      case "if":
        return this.#conditional(mark.condition, { [key]: mark.value }, column);
      case "lines":
        return [`${before}${key}:`, ...mark.text.split("\n").map((text) => `${" ".repeat(column + 2)}${text}`)].join(
          "\n",
        );
    }
  }

  #conditional(condition: string, value: unknown, column: number): string {
    const indent = " ".repeat(column);
    const lines = this.write(value).trimEnd().split("\n");
    return [`${indent}{{- if ${condition} }}`, ...lines.map((line) => `${indent}${line}`), `${indent}{{- end }}`].join(
      "\n",
    );
  }

  #at(number: string): Mark {
    const mark = this.#marks[Number(number)];
    if (!mark) throw new Error(`no mark ${number}`);
    return mark;
  }
}

function inline(mark: Mark): string {
  if (mark.form !== "inline") throw new Error(`a mark of the form ${mark.form} stands where only a text may`);
  return `{{ ${mark.expression} }}`;
}

const argument = (expression: string): string => (/^[.$][\w.]*$/.test(expression) ? expression : `(${expression})`);

/** What is in an object is text to Helm, whatever it looks like. */
const escaped = (yaml: string): string => yaml.replaceAll("{{", '{{ "{{" }}');
