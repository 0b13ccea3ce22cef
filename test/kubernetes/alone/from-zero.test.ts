import { describe, expect, test } from "vitest";
import { loadTruth } from "../../../examples/truth.ts";
import { apply, list, until } from "../cluster.ts";
import { askFunction } from "../functions.ts";
import { NAMESPACE, OTHER } from "../namespaces.ts";
import {
  analysesBySite,
  asking,
  condition,
  decide,
  example,
  functionPods,
  reviewLink,
  reviewOf,
  stepOf,
  untilPhase,
  workflowOf,
} from "../workload.ts";
import { NEVER, resyncForFile } from "./resync.ts";

const NAME = "market-analysis";

resyncForFile(NEVER);

const noFunctions = () =>
  until("every function to be at zero", async () => (await functionPods()).size === 0, {
    ms: 300_000,
    every: 1000,
    seen: async () => [...(await functionPods())],
  });

const approvePage = (path: string, token: string) =>
  askFunction("approve", path, { headers: { authorization: `Bearer ${token}`, accept: "text/html" } });

describe("kubectl apply to report", () => {
  test("two workloads in two namespaces, from zero, through the gate to a report that holds against the truth", async () => {
    await noFunctions();

    const phases: string[] = [];
    const onPhase = (phase: string) => {
      if (phases.at(-1) !== phase) phases.push(phase);
    };
    const mine = asking(NAME);
    const theirs = example(OTHER, NAME, { objective: "Who sells to restaurants?" });
    await apply(mine, theirs);
    await until("scrape to be up", async () => (await functionPods()).has("scrape"));
    const [waiting] = await Promise.all([
      untilPhase(NAMESPACE, NAME, "AwaitingReview", { onPhase }),
      untilPhase(OTHER, NAME, "AwaitingReview"),
    ]);
    expect(phases).toEqual(expect.arrayContaining(["Running", "AwaitingReview"]));
    expect(phases.filter((phase) => !["Pending", "Creating", "Running", "AwaitingReview"].includes(phase))).toEqual([]);
    expect(waiting.status.items).toEqual({ total: 10, done: 10, failed: 0, progress: "10/10" });
    for (const name of ["scrape", "analyze"])
      expect(stepOf(waiting, name)).toMatchObject({ total: 10, succeeded: 10, failed: 0, running: 0 });
    expect(stepOf(waiting, "review")).toMatchObject({ total: 1, running: 1 });
    expect(condition(waiting, "Reviewed")).toMatchObject({ status: "False", reason: "Waiting" });

    // Nothing of ours in the user's namespace but the workload and its Workflow.
    expect(await list("pods", NAMESPACE)).toEqual([]);
    expect((await list("serviceaccounts", NAMESPACE)).map(({ metadata }) => metadata.name)).toEqual(["default"]);

    const { url, token, digest } = await reviewLink(NAMESPACE, NAME);
    expect(url.pathname).toBe(`/review/${NAMESPACE}/${NAME}/review`);
    expect(digest).toBe(reviewOf(waiting)["digest"]);
    await decide(NAMESPACE, NAME, "approved", { comment: "Weigh the free tiers." });
    await decide(OTHER, NAME, "approved");
    const [done] = await Promise.all([untilPhase(NAMESPACE, NAME, "Succeeded"), untilPhase(OTHER, NAME, "Succeeded")]);
    expect(reviewOf(done)).toMatchObject({
      decision: "approved",
      comment: "Weigh the free tiers.",
      how: "ReviewLink",
      automatic: false,
    });
    expect(condition(done, "Completed")).toMatchObject({ status: "True", reason: "Succeeded" });
    expect(Object.keys(done.status.outputs)).toEqual(expect.arrayContaining(["html", "json", "markdown", "pdf"]));
    expect(condition(done, "Ready")).toMatchObject({ status: "True", reason: "Succeeded" });
    expect((await workflowOf(NAMESPACE, NAME))?.status.phase).toBe("Succeeded");

    const page = await approvePage(url.pathname, token);
    expect([page.status, page.body]).toEqual([200, expect.stringContaining("Approved")]);
    const html = await approvePage(`${url.pathname}/outputs/html`, token);
    expect(html.headers["content-type"]).toMatch(/^text\/html/);
    const report = JSON.parse((await approvePage(`${url.pathname}/outputs/json`, token)).body);
    const names = report.competitors.map((one: { analysis: { name: string } }) => one.analysis.name).toSorted();
    const truth = await loadTruth();
    expect(names).toEqual(truth.map(({ name }) => name).toSorted());

    // No answer was paid twice.
    const analyses = await analysesBySite(mine.spec.inputs.objective);
    expect([...analyses.values()].filter((count) => count !== 1)).toEqual([]);
    expect(Number(done.status.usage.costUsd)).toBeGreaterThan(0);

    const events = await list("events", NAMESPACE);
    const { uid } = done.metadata;
    const reasons = new Set(events.filter((one) => one["involvedObject"].uid === uid).map((one) => one["reason"]));
    for (const reason of ["Running", "AwaitingReview", "Succeeded"]) expect(reasons).toContain(reason);
    await noFunctions();
  });
});
