import { afterAll, expect, test } from "vitest";
import { loadTruth } from "../../examples/truth.ts";
import { apply } from "./cluster.ts";
import { NAMESPACE } from "./namespaces.ts";
import { asking, decide, deleteWorkloads, stepOf, untilPhase } from "./workload.ts";

afterAll(deleteWorkloads);

test("sites are read with the further pages that were found, as far as the workload says", async () => {
  const truth = (await loadTruth()).filter(({ pages }) => pages.length > 0).slice(0, 2);
  const name = "further-pages";
  await apply(asking(name, { sites: truth.map(({ site }) => site), pagesPerSite: 2 }));
  const waiting = await untilPhase(NAMESPACE, name, "AwaitingReview");
  for (const step of ["scrape", "analyze", "scrape-pages", "analyze-pages"])
    expect(stepOf(waiting, step)).toMatchObject({ total: 2, succeeded: 2, failed: 0 });
  expect(waiting.status.items).toMatchObject({ total: 4, done: 4 });
  await decide(NAMESPACE, name, "approved");
  const done = await untilPhase(NAMESPACE, name, "Succeeded");
  expect(Object.keys(done.status.outputs)).toContain("html");
});
