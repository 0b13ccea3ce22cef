import type { Licence, LicenceReading } from "../lib/licence/licence.ts";
import type { Standing } from "../lib/licence/standing.ts";
import type { Usage } from "../lib/quota/accounts.ts";

/** A licence for people: whose it is, until when, what it allows, what of that is in use, and what is to be said. Ends with a line break. */
export function licenceText(reading: LicenceReading | undefined, { limits, notice }: Standing, usage?: Usage): string {
  const used = (count: number | undefined): string => (count === undefined ? "" : `, ${count} in use`);
  const { maxNamespaces, maxRunning, maxPerMonth } = limits;
  const month = usage && `, ${usage.spent + usage.setAside} in ${usage.month}`;
  return [
    ...headOf(reading),
    `  namespaces  ${maxNamespaces ?? "unlimited"} with runs under way${used(usage?.namespaces)}`,
    `  workloads   ${maxRunning ?? "unlimited"} at once${used(usage?.running)}${usage?.waiting ? `, ${usage.waiting} waiting` : ""}`,
    `  items       ${maxPerMonth ?? "unlimited"} a month${month ?? ""}`,
    ...(notice ? [notice.message] : []),
    "",
  ].join("\n");
}

function headOf(reading: LicenceReading | undefined): string[] {
  if (reading === undefined) return ["No licence: the community limits hold"];
  if ("problem" in reading) return ["The community limits hold"];
  const { sub, plan, iss, grace } = reading;
  return [
    `Licence of ${sub}, plan ${plan}, issued by ${iss}`,
    `  valid       ${dayOf(reading.nbf)} to ${dayOf(reading.exp)}, then ${grace} days of grace`,
  ];
}

/** The same as a document for programs. */
export function licenceDocument(reading: LicenceReading | undefined, standing: Standing, usage?: Usage): object {
  const { maxNamespaces, maxRunning, maxPerMonth } = standing.limits;
  const licence: Licence | undefined = reading && "problem" in reading ? undefined : reading;
  return {
    ...(licence ? { licence } : {}),
    limits: { namespaces: maxNamespaces, workloadsAtOnce: maxRunning, itemsAMonth: maxPerMonth },
    ...(usage ? { usage } : {}),
    ...(standing.notice ? { notice: standing.notice } : {}),
  };
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
