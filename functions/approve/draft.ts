import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type Correction, correctionSchema, MAX_CORRECTIONS } from "../../crd/agentworkload.ts";
import { itemName } from "../../engine/correction-text.ts";
import { correctionProblem, isOfFinding, limitProblem } from "../../engine/corrections.ts";
import type { Finding, MadeCorrection } from "../../engine/findings.ts";
import type { Summary } from "../../engine/summary.ts";
import { schemaProblems } from "../../lib/schema-problems.ts";

// Corrections that a reviewer has typed and not sent yet. No process holds them: they go with the form, from page to page.

const draftSchema = z.array(correctionSchema).max(MAX_CORRECTIONS);

/** As the form's hidden field has it; undefined: it is not as the page wrote it. */
export function readDraft(field = "[]"): Correction[] | undefined {
  try {
    return draftSchema.safeParse(JSON.parse(field)).data;
  } catch {
    return undefined;
  }
}

/** What stands in the fields of one fact. */
export interface TypedFact {
  readonly strike: boolean;
  readonly value: string;
  readonly comment: string;
}

/** The fields of a fact that stands as it was found. */
export const NOTHING: TypedFact = { strike: false, value: "", comment: "" };

/** By the fact's id. */
export type Typed = ReadonlyMap<string, TypedFact>;

/** Names of a fact's fields, by its place in the summary: an id is somebody else's text. */
export const FIELDS = {
  strike: (index: number) => `strike-${index}`,
  value: (index: number) => `value-${index}`,
  comment: (index: number) => `comment-${index}`,
} as const;

/** What the form of a finding's facts sends. */
export function typedIn(form: Readonly<Record<string, unknown>>, { facts }: Summary): Typed {
  const text = (name: string): string => {
    const value = form[name];
    // A browser ends lines with CR LF.
    return typeof value === "string" ? value.replaceAll("\r\n", "\n").trim() : "";
  };
  return new Map(
    facts.flatMap(({ id }, index) =>
      id === undefined
        ? []
        : [
            [
              id,
              {
                strike: form[FIELDS.strike(index)] !== undefined,
                value: text(FIELDS.value(index)),
                comment: text(FIELDS.comment(index)),
              },
            ],
          ],
    ),
  );
}

/** What the fields of a finding's facts say when it is opened: what was carried over, or what was typed since. */
export function typedOf(draft: readonly Correction[], finding: Finding, carried: readonly MadeCorrection[]): Typed {
  return new Map(
    [...carried, ...draft]
      .filter((one) => isOfFinding(one, finding))
      .map(({ fact, action, value = "", comment = "" }) => [
        fact,
        action === "keep" ? NOTHING : { strike: action === "strike", value, comment },
      ]),
  );
}

/** The draft with what was typed of this finding in place of what was said of it before; or what is wrong with it, as a sentence. */
export function withTyped(
  draft: readonly Correction[],
  finding: Finding,
  summary: Summary,
  carried: readonly MadeCorrection[],
  typed: Typed,
): { readonly draft: Correction[] } | { readonly problem: string } {
  const own: Correction[] = [];
  const item = itemName(finding.item);
  const before = typedOf([], finding, carried);
  for (const { id, label, value: of } of summary.facts) {
    const fields = id === undefined ? undefined : typed.get(id);
    // What is as it was carried over needs no word.
    if (id === undefined || !fields || isDeepStrictEqual(fields, before.get(id) ?? NOTHING)) continue;
    const { strike, value, comment } = fields;
    if (strike && value) return { problem: `${label}: strike it or correct it, not both` };
    const parsed = correctionSchema.safeParse({
      step: finding.step,
      ...(item === undefined ? {} : { item }),
      fact: id,
      of,
      action: strike ? "strike" : value ? "correct" : comment ? "comment" : "keep",
      ...(value ? { value } : {}),
      ...(comment ? { comment } : {}),
    });
    if (!parsed.success) return { problem: `${label}: ${schemaProblems(parsed.error)}` };
    own.push(parsed.data);
  }
  const merged = [...draft.filter((one) => !isOfFinding(one, finding)), ...own];
  const problem =
    limitProblem(merged) ?? correctionProblem(own, { results: [finding], carried }, new Map([[finding, summary]]));
  return problem === undefined ? { draft: merged } : { problem };
}
