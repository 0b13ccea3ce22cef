/** The extractive analyst on the ten sample sites, scraped for real, against what a person read there. */
import { loadTruth } from "../../examples/truth.ts";
import { analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { report } from "../harness.ts";
import { add, type Count, type Kind, score } from "./score.ts";
import { withSteps } from "./steps.ts";

const GOAL: Readonly<Partial<Record<Kind, number>>> = { prices: 0.95 };

const totals = new Map<Kind, Count>();
await withSteps(async ({ read, scrape, analyze }) => {
  for (const truth of await loadTruth()) {
    const analyzed = await analyze(truth.site, await scrape(truth.site));
    const analysis = analysisSchema.parse(await read(analyzed.artifacts["analysis"] ?? ""));
    for (const [kind, count] of Object.entries(score(truth, analysis)) as [Kind, Count][]) {
      totals.set(kind, add(totals.get(kind) ?? { right: 0, found: 0, there: 0 }, count));
      if (count.right < count.found || count.right < count.there)
        console.log(`${truth.name}: ${count.right} right of ${count.found} ${kind} found, ${count.there} there`);
    }
  }
});
report(
  "extraction",
  [...totals].flatMap(([kind, { right, found, there }]) => {
    const goal = GOAL[kind] === undefined ? {} : { goal: GOAL[kind], atLeast: true as const };
    return [
      { figure: `${kind}: precision`, value: right / found, unit: `of ${found}`, ...goal },
      { figure: `${kind}: recall`, value: right / there, unit: `of ${there}`, ...goal },
    ];
  }),
);
