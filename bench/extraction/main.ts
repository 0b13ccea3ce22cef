/**
 * The extractive analyst on the ten sample sites and on the corpus, scraped for real, against what a person saw there. `--page ID` says what is
 * wrong on one page of the part to develop on. Of the scored part only figures are shown, so that nothing is fitted to it; `--show-scored` prints
 * what was found on ten of its pages, to be read beside their pictures.
 */
import { parseArgs } from "node:util";
import pLimit from "p-limit";
import { startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { type Analysis, analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { type Figure, report } from "../harness.ts";
import { CAPTURED_ARTIFACTS, digestOfFolder, keptCapture } from "./captures.ts";
import type { PageTruth } from "./corpus/page.ts";
import { hostOf, type NamedPage, PARTS, type Part, packagesOf, pagesOf } from "./corpus/parts.ts";
import { startCorpusSites } from "./corpus/sites.ts";
import { add, CLASSES, type Class, type Comparison, type Count, countOf, score } from "./score.ts";
import { withSteps } from "./steps.ts";

interface Subject {
  readonly id: string;
  readonly url: string;
  /** Which files it is made of. */
  readonly version: string;
  readonly truth: PageTruth;
  readonly structure: readonly string[];
}

interface Scored extends Subject {
  readonly analysis: Analysis | undefined;
  readonly comparisons: Record<Class, Comparison>;
}

const GOALS: Readonly<Partial<Record<Class, number>>> = {
  "plan names": 0.95,
  prices: 0.95,
  "prices in full": 0.95,
  "calls to action": 0.9,
};
/** What the sample sites have truth about. */
const SAMPLED: readonly Class[] = ["plan names", "prices in full", "calls to action"];
const SHOWN = 10;
const AT_ONCE = 2;

const { values } = parseArgs({ options: { page: { type: "string" }, "show-scored": { type: "boolean" } } });
if (values.page !== undefined) await explain(values.page);
else if (values["show-scored"]) await showScored();
else await all();

async function all(): Promise<void> {
  const samples = await scoredOf(await sampleSites(), startSampleSites);
  const figures = figuresOf("sample sites", samples, SAMPLED);
  for (const part of PARTS) {
    const scored = await scoredPart(part);
    if (part === "develop") {
      for (const page of scored) sayCounts(page);
      sayByStructure(scored);
    }
    figures.push(...figuresOf(part, scored, CLASSES));
  }
  report("extraction", figures);
}

async function explain(id: string): Promise<void> {
  const [page] = await scoredPart("develop", ({ id: one }) => one === id);
  if (page === undefined)
    throw new Error(`there is no page ${id} to develop on: --page takes a name of corpus/develop/pages`);
  console.log(`${page.id}: ${page.url}`);
  for (const kind of CLASSES) {
    const { right, missing, wrong } = page.comparisons[kind];
    if (right.length + missing.length + wrong.length === 0) continue;
    console.log(`\n${kind}: ${right.length} right`);
    for (const one of missing) console.log(`  missing  ${one}`);
    for (const one of wrong) console.log(`  wrong    ${one}`);
  }
}

async function showScored(): Promise<void> {
  const step = Math.max(1, Math.floor(pagesOf("scored").length / SHOWN));
  const scored = await scoredPart("scored", (_, at) => at % step === 0 && at < step * SHOWN);
  for (const { id, url, analysis } of scored) {
    console.log(`\n${id}: ${url}`);
    if (analysis === undefined) continue;
    const { positioning, audience, offers, callsToAction, proof } = analysis;
    const found = {
      positioning: positioning?.value,
      audience: audience.map(({ value }) => value),
      offers: offers.map(({ features: _, evidence: __, ...offer }) => offer),
      callsToAction: callsToAction.map(({ text, prominence }) => ({ text, prominence })),
      proof: proof.map(({ kind, value }) => `${kind}: ${value}`),
    };
    console.log(JSON.stringify(found, null, 1));
  }
}

function scoredPart(part: Part, isWanted: (page: NamedPage, at: number) => boolean = () => true): Promise<Scored[]> {
  const packages = packagesOf(part);
  const pages = pagesOf(part).filter(isWanted);
  const subjects = pages.map((page): Subject => {
    const from = packages.find(({ name }) => name === page.package);
    if (from === undefined) throw new Error(`${page.id} is from ${page.package}, which packages.json lacks`);
    const url = `http://${hostOf(page.package)}${page.path}`;
    return { id: page.id, url, version: JSON.stringify(from), truth: page.truth, structure: page.structure };
  });
  const needed = packages.filter(({ name }) => subjects.some(({ url }) => new URL(url).hostname === hostOf(name)));
  const mounted = packages.filter(({ name }) => needed.some(({ mounts = {} }) => Object.values(mounts).includes(name)));
  return scoredOf(subjects, () => startCorpusSites([...new Set([...needed, ...mounted])]));
}

async function sampleSites(): Promise<Subject[]> {
  return (await loadTruth()).map(({ site, name, positioning, offers, callsToAction }) => ({
    id: name,
    url: site,
    structure: [],
    version: digestOfFolder(`examples/sites/${new URL(site).hostname}`),
    truth: {
      positioning: [positioning],
      audience: [],
      offers: offers as PageTruth["offers"],
      callsToAction: callsToAction.map((text) => ({ text, primary: false })),
      proof: [],
    },
  }));
}

async function scoredOf(
  subjects: readonly Subject[],
  startSites: NonNullable<Parameters<typeof withSteps>[1]>["startSites"] & {},
): Promise<Scored[]> {
  const limit = pLimit(AT_ONCE);
  return withSteps(
    ({ read, scrape, analyze }) =>
      Promise.all(
        subjects.map((subject) =>
          limit(async (): Promise<Scored> => {
            const analysis = await (async () => {
              const analyzed = await analyze(subject.url, await keptCapture(subject, scrape));
              return analysisSchema.parse(await read(analyzed.artifacts["analysis"] ?? ""));
            })().catch((cause) => {
              console.log(`${subject.id}: ${cause instanceof Error ? cause.message : cause}`);
              return undefined;
            });
            return { ...subject, analysis, comparisons: score(subject.truth, analysis) };
          }),
        ),
      ),
    { startSites, captured: CAPTURED_ARTIFACTS },
  );
}

function figuresOf(what: string, scored: readonly Scored[], classes: readonly Class[]): Figure[] {
  if (scored.length === 0) return [];
  return classes.flatMap((kind) => {
    const counts = scored.map(({ comparisons }) => countOf(comparisons[kind]));
    const { right, found, there } = counts.reduce(add);
    const goal = what !== "develop" && GOALS[kind] !== undefined ? { goal: GOALS[kind], atLeast: true as const } : {};
    const faultless = counts.filter((count) => count.right === count.found && count.right === count.there).length;
    // One page of many offers weighs as much as one of three.
    const precision = meanOf(counts.flatMap((count) => (count.found === 0 ? [] : [count.right / count.found])));
    const recall = meanOf(counts.flatMap((count) => (count.there === 0 ? [] : [count.right / count.there])));
    return [
      ...(found === 0
        ? []
        : [{ figure: `${what}, ${kind}: precision`, value: right / found, unit: `of ${found}`, ...goal }]),
      ...(there === 0
        ? []
        : [{ figure: `${what}, ${kind}: recall`, value: right / there, unit: `of ${there}`, ...goal }]),
      ...(precision ? [{ figure: `${what}, ${kind}: precision, mean of pages`, ...precision }] : []),
      ...(recall ? [{ figure: `${what}, ${kind}: recall, mean of pages`, ...recall }] : []),
      { figure: `${what}, ${kind}: pages without a fault`, value: faultless, unit: `of ${scored.length}` },
    ];
  });
}

function meanOf(values: readonly number[]): { value: number; unit: string } | undefined {
  if (values.length === 0) return undefined;
  return { value: values.reduce((sum, value) => sum + value, 0) / values.length, unit: `of ${values.length} pages` };
}

function sayCounts({ id, comparisons }: Scored): void {
  const wrong = CLASSES.flatMap((kind) => {
    const { right, found, there }: Count = countOf(comparisons[kind]);
    return right < found || right < there ? [`${kind} ${right} right of ${found} found, ${there} there`] : [];
  });
  if (wrong.length > 0) console.log(`${id}: ${wrong.join("; ")}`);
}

/** Which kinds of pages are read worse than others. */
function sayByStructure(scored: readonly Scored[]): void {
  const rows = [...new Set(scored.flatMap(({ structure }) => structure))].map((structure) => {
    const pages = scored.filter((page) => page.structure.includes(structure));
    const of = (kind: Class) => {
      const { right, found, there } = pages.map(({ comparisons }) => countOf(comparisons[kind])).reduce(add);
      return `${right} right of ${found} found, ${there} there`;
    };
    return { structure, pages: pages.length, prices: of("prices"), "calls to action": of("calls to action") };
  });
  console.table(rows);
}
