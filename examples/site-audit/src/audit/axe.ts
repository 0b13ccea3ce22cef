import axe from "axe-core";
import type { Page } from "playwright-core";
import type { Finding } from "../finding.js";

const OPTIONS = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations", "incomplete"],
} as const;
/** Places of one rule on one page: enough to find the cause, which they mostly share. */
const MAX_PLACES = 20;

export interface AxeReport {
  readonly findings: readonly Finding[];
  /** Rules that were applied. */
  readonly rules: number;
  readonly caveats: readonly string[];
}

/** Runs axe-core in the page and its frames. */
export async function runAxe(page: Page): Promise<AxeReport> {
  for (const frame of page.frames())
    await frame.evaluate(axe.source).catch((error: unknown) => {
      // A frame may vanish meanwhile; the page itself may not.
      if (frame === page.mainFrame()) throw error;
    });
  const results = await page.evaluate(
    (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options as unknown as axe.RunOptions),
    OPTIONS,
  );
  const { violations, incomplete } = results;
  const cut = violations.filter(({ nodes }) => nodes.length > MAX_PLACES);
  return {
    findings: violations.flatMap(findingsOf),
    rules: violations.length + incomplete.length + results.passes.length,
    caveats: [
      ...cut.map(({ id, nodes }) => `${id} was found in ${nodes.length} places; the first ${MAX_PLACES} are listed.`),
      ...(incomplete.length > 0
        ? [`A person must judge what axe could not: ${incomplete.map(({ id }) => id).join(", ")}.`]
        : []),
    ],
  };
}

function findingsOf({ id, impact, help, helpUrl, nodes }: axe.Result): Finding[] {
  return nodes.slice(0, MAX_PLACES).map((node) => ({
    kind: "accessibility",
    rule: id,
    impact: node.impact ?? impact ?? "minor",
    title: help,
    detail: detailOf(node) || help,
    where: node.target.flat().join(" > "),
    evidence: node.html.slice(0, 300),
    help: helpUrl,
  }));
}

/** Of `any`, one would do: the first is the usual way. */
function detailOf({ any, all, none }: axe.NodeResult): string {
  return [...any.slice(0, 1), ...all, ...none].map(({ message }) => `${message}.`).join(" ");
}
