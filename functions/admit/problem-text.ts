import { pathText } from "../../crd/parse.ts";
import type { SpecProblem } from "../../engine/check.ts";

/** As in `spec.steps[3].agent is …`, a text a problem. */
export function problemTexts(problems: readonly SpecProblem[]): string[] {
  return problems.map(({ path, message }) => `${pathText(["spec", ...path])} ${message}`);
}
