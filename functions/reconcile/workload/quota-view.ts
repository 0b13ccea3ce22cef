import type { Claim } from "../../../lib/quota/accounts.ts";
import type { Wait } from "../../../lib/quota/shortage.ts";

/** Where a workload stands in the accounts of its namespace's quota, and of the installation's licence. */
export interface QuotaView {
  /** What is to be changed. */
  readonly claims: readonly Claim[];
  /** Why it must not work yet. */
  readonly wait?: Wait;
  /** What is to be said of the licence. */
  readonly notice?: Wait;
  /** US dollars that the accounts know it to have cost. */
  readonly spentUsd: number;
}
