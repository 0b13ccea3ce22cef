import { NO_USAGE } from "../../engine/result.ts";
import { money } from "../../pipelines/market-analysis/price.ts";
import { citations } from "./claims.ts";
import { type EntryGroup, entryGroups } from "./entry.ts";
import { names } from "./insights.ts";
import type { Dossier, Insight, Narrative } from "./report.ts";

/** The narrative by rules: the figures in sentences, and the strongest gaps as the recommendation. */
export function strategize(dossier: Dossier, caveats: readonly string[] = []): Narrative {
  const { competitors, gaps, saturated, standouts } = dossier;
  return {
    author: { kind: "rules" },
    answer: [priceSentence(dossier), offerSentence(dossier), saturatedSentence(dossier)]
      .filter((sentence) => sentence !== "")
      .join(" "),
    ...recommendationOf(dossier),
    claims: [...gaps.slice(0, 3), ...standouts.slice(0, 2), ...saturated.slice(0, 1)],
    usage: NO_USAGE,
    caveats: competitors.length < 3 ? [...caveats, "Fewer than three sites show no gaps."] : [...caveats],
  };
}

function priceSentence({ competitors, currency }: Dossier): string {
  const groups = entryGroups(competitors);
  const [first, ...others] = groups;
  const [only] = competitors;
  const all = competitors.length;
  if (!first || !only)
    return all === 1
      ? `The one site analyzed, ${only?.label}, names no monthly price.`
      : `Of ${all} sites, none names a monthly price.`;
  if (groups.length === 1 && first.sites.length === 1) {
    const [{ label, entryMonthly, entryClaim }] = first.sites;
    const starts = `names a paid monthly price: it starts at ${money(entryMonthly, currency)}${first.per ? ` per ${first.per}` : ""}${cite(entryClaim)}.`;
    return all === 1 ? `${label} ${starts}` : `Of ${all} sites, only ${label} ${starts}`;
  }
  const counted = first.per ? `charge per ${first.per}` : `name a${others.length ? " flat" : " paid"} monthly price`;
  return [
    `Of ${all} sites, ${first.sites.length} ${counted} in ${currency}: ${rangeOf(first, currency)}.`,
    ...others.map(
      (group) =>
        `${group.sites.length} ${group.sites.length === 1 ? "charges" : "charge"} ${group.per ? `per ${group.per}` : "a flat price"}: ${rangeOf(group, currency)}.`,
    ),
  ].join(" ");
}

/** "entry runs from $8 (A) to $95 (B), with the median at $45" */
function rangeOf({ sites, median }: EntryGroup, currency: string): string {
  const [low] = sites;
  const high = sites.at(-1) ?? low;
  const named = (site: typeof low) => `${money(site.entryMonthly, currency)} (${site.label})${cite(site.entryClaim)}`;
  if (low === high) return named(low);
  const middle = sites.length > 2 ? `, with the median at ${money(median, currency)}` : "";
  return `entry runs from ${named(low)} to ${named(high)}${middle}`;
}

const cite = (...ids: readonly (string | undefined)[]): string => {
  const known = ids.filter((id) => id !== undefined);
  return known.length ? ` ${citations(known)}` : "";
};

function offerSentence({ competitors, claims }: Dossier): string {
  const all = competitors.length;
  if (all === 1) return "";
  const free = competitors.filter((c) => c.free);
  const proven = competitors.filter((c) => c.analysis.proof.length > 0).length;
  const said = claims.filter(({ field, value }) => field === "offers" && value === "free").slice(0, MAX_CITED);
  const offer = free.length
    ? `${names(free)} (${free.length} of ${all}) ${free.length > 1 ? "have" : "has"} a free offer${cite(...said.map(({ id }) => id))}`
    : "Nobody has a free offer";
  const proof = proven === all ? `all ${all} show` : proven === 0 ? "nobody shows" : `${proven} of ${all} show`;
  return `${offer}, and ${proof} proof for what they say.`;
}

function saturatedSentence({ saturated }: Dossier): string {
  return saturated.length
    ? `What most do sets nobody apart: ${saturated
        .slice(0, 2)
        .map(({ title }) => title)
        .join("; ")}.`
    : "";
}

/** Claims that one sentence cites at most. */
const MAX_CITED = 4;

function recommendationOf({ gaps, standouts, competitors }: Dossier): Pick<Narrative, "recommendation" | "confidence"> {
  const [first, second] = gaps;
  const [standout] = standouts;
  const cited = ({ claims }: Insight) => cite(...claims.slice(0, MAX_CITED));
  if (first)
    return {
      recommendation: second
        ? `Go where the market is open. ${first.title}: ${lower(first.text)}${cited(first)} ${second.title}: ${lower(second.text)}${cited(second)}`
        : `Go where the market is open: ${lower(first.title)}. ${first.text}${cited(first)}`,
      confidence: first.confidence,
    };
  if (standout)
    return {
      recommendation: `The pages leave no clear gap. Measure yourself against what stands out: ${lower(standout.title)}. ${standout.text}${cited(standout)}`,
      confidence: standout.confidence,
    };
  return {
    recommendation: `${competitors.length} ${competitors.length === 1 ? "site is" : "sites are"} too few for a recommendation: add competitors to the workload’s inputs.sites; those that are analyzed already cost nothing again.`,
    confidence: "low",
  };
}

/** Lower case for a first word that is no name. */
function lower(title: string): string {
  return title.replace(/^(No|Nobody|None|Of|A|Few|Only|Claims|Not)\b/, (word) => word.toLowerCase());
}
