import { NO_USAGE } from "../../lib/step.ts";
import { names } from "./insights.ts";
import { median, money } from "./price.ts";
import type { Dossier, Narrative } from "./report.ts";

/** The narrative by rules: what the figures say, in sentences, and the strongest gap as the recommendation. */
export function strategize(dossier: Dossier, caveats: readonly string[] = []): Narrative {
  const { competitors, gaps, saturated, standouts } = dossier;
  return {
    author: { kind: "rules" },
    answer: [priceSentence(dossier), offerSentence(dossier), saturatedSentence(dossier)]
      .filter((sentence) => sentence !== "")
      .join(" "),
    recommendation: recommendationOf(dossier),
    claims: [...gaps.slice(0, 3), ...standouts.slice(0, 2), ...saturated.slice(0, 1)].map((insight) => ({
      ...insight,
    })),
    usage: NO_USAGE,
    caveats:
      competitors.length < 3
        ? [...caveats, "Fewer than three sites: gaps are not concluded from so few."]
        : [...caveats],
  };
}

function priceSentence({ competitors, currency }: Dossier): string {
  const priced = competitors
    .filter((c) => c.entryMonthly !== null)
    .sort((a, b) => (a.entryMonthly ?? 0) - (b.entryMonthly ?? 0));
  const low = priced[0];
  const high = priced.at(-1);
  const site = competitors.length === 1 ? "The one site" : `Of ${competitors.length} sites,`;
  if (!low || !high)
    return competitors.length === 1
      ? `${site} analyzed, ${competitors[0]?.label}, names no monthly price.`
      : `${site} none names a monthly price.`;
  if (low === high)
    return `${competitors.length === 1 ? low.label : `${site} only ${low.label}`} names a paid monthly price: it starts at ${money(low.entryMonthly ?? 0, currency)}.`;
  const middle = median(priced.map((c) => c.entryMonthly ?? 0));
  return `${site} ${priced.length} name a paid monthly price in ${currency}: entry runs from ${money(low.entryMonthly ?? 0, currency)} (${low.label}) to ${money(high.entryMonthly ?? 0, currency)} (${high.label}), with the median at ${money(middle, currency)}.`;
}

function offerSentence({ competitors }: Dossier): string {
  const free = competitors.filter((c) => c.free);
  const proof = competitors.filter((c) => c.analysis.proof.length > 0);
  if (competitors.length === 1) return "";
  return `${free.length ? `${names(free)} (${free.length} of ${competitors.length}) ${free.length > 1 ? "have" : "has"} a free offer` : "Nobody has a free offer"}, and ${proof.length} of ${competitors.length} show any proof for what they say.`;
}

function saturatedSentence({ saturated }: Dossier): string {
  return saturated.length
    ? `Little sets them apart where all agree: ${saturated
        .slice(0, 2)
        .map(({ title }) => title)
        .join("; ")}.`
    : "";
}

function recommendationOf({ gaps, standouts, competitors }: Dossier): string {
  const [first, second] = gaps;
  if (first && second)
    return `Go where the market is open. First: ${lower(first.title)}. ${first.text} Then: ${lower(second.title)}. ${second.text}`;
  if (first) return `Go where the market is open: ${lower(first.title)}. ${first.text}`;
  if (standouts[0])
    return `The pages leave no clear gap. Measure yourself against what stands out: ${lower(standouts[0].title)}. ${standouts[0].text}`;
  return `${competitors.length} ${competitors.length === 1 ? "site is" : "sites are"} too few for a recommendation: add competitors to the workload’s sites; those analyzed already are not paid for again.`;
}

/** Only where the first letter is a common word's. */
function lower(title: string): string {
  return title.replace(/^(No|Nobody|A|Few|Only|Claims|Not)\b/, (word) => word.toLowerCase());
}
