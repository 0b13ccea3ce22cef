import type { Claim } from "./accounts.ts";
import { usdText } from "./micro-usd.ts";
import type { Shortage, Wait } from "./shortage.ts";

export const QUOTA_REASON = {
  /** All places are taken. */
  queued: "Queued",
  /** Its budget does not fit into what is left of the month. */
  exceeded: "QuotaExceeded",
  /** Its budget fits into no month. */
  neverFits: "BudgetOverQuota",
  noBudget: "BudgetRequired",
  invalid: "QuotaInvalid",
  full: "QuotaAccountsFull",
  /** Of the installation: its licence's limits, or the community limits. */
  licenceLimit: "LicenceLimitReached",
} as const;

/** Tells whoever applied the workload why it waits, and until when. */
export function waitOf(shortage: Shortage, claim: Claim): Wait {
  if (shortage.of === "closed") return shortage.closed;
  return claim.run ? licenceWait(shortage) : quotaWait(shortage, claim);
}

type Limited = Exclude<Shortage, { of: "closed" }>;

function quotaWait(shortage: Limited, { namespace }: Claim): Wait {
  switch (shortage.of) {
    case "places":
      return {
        reason: QUOTA_REASON.queued,
        message: `Namespace ${namespace} runs ${shortage.running} of ${shortage.max} workloads; this one goes on when one ends, in the order of their creation`,
      };
    case "month": {
      const { month, wants, max, spent, setAside } = shortage;
      return {
        reason: QUOTA_REASON.exceeded,
        message: `Namespace ${namespace} has $${usdText(max)} for ${month}: $${usdText(spent)} is spent, $${usdText(setAside)} is set aside for workloads that have started, and this one's budget is $${usdText(wants)}. It goes on when it fits: when others end below their budget, with a smaller one, or next month`,
      };
    }
    case "every month":
      return {
        reason: QUOTA_REASON.neverFits,
        message: `spec.budget.maxUsd of $${usdText(shortage.wants)} is more than the $${usdText(shortage.max)} a month of namespace ${namespace}: lower it, or ask your administrator for more`,
      };
    case "budget":
      return {
        reason: QUOTA_REASON.noBudget,
        message: `Namespace ${namespace} has $${usdText(shortage.max)} a month: set spec.budget.maxUsd, which is set aside for the workload while it runs`,
      };
    case "quota":
      return {
        reason: QUOTA_REASON.invalid,
        message: `${shortage.problem}. Nothing starts in this namespace until your administrator has corrected it`,
      };
    case "room":
      return {
        reason: QUOTA_REASON.full,
        message: `The accounts of namespace ${namespace} have no room for more than ${shortage.workloads} workloads: delete some that have ended`,
      };
    default:
      return {
        reason: QUOTA_REASON.queued,
        message: `Other workloads of namespace ${namespace} come before this one`,
      };
  }
}

function licenceWait(shortage: Limited): Wait {
  const message = `${licenceText(shortage)}. A licence that allows more lifts the limit`;
  return { reason: QUOTA_REASON.licenceLimit, message };
}

function licenceText(shortage: Limited): string {
  switch (shortage.of) {
    case "places":
      return `This installation runs ${shortage.running} of the ${shortage.max} workloads that it may run at once; this one goes on when one ends, in the order of their creation`;
    case "namespaces":
      return `Runs of ${shortage.used} namespaces are under way, of ${shortage.max} that this installation may have at once; this one starts when those of another namespace have ended`;
    case "month": {
      const { month, wants, max, spent, setAside } = shortage;
      return `This installation has ${max} items for ${month}: ${spent} are counted, ${setAside} are those of runs under way, and this run has ${wants}. It starts when it fits, at the latest next month`;
    }
    case "every month":
      return `This run has ${shortage.wants} items, more than the ${shortage.max} a month of this installation: divide it`;
    case "room":
      return `The accounts of this installation have no room for more than ${shortage.workloads} workloads: this one starts when others have ended`;
    default:
      return "Other workloads of this installation come before this one";
  }
}
