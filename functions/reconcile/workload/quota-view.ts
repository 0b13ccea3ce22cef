import type { Claim, Settled } from "../../../lib/quota/accounts.ts";

/** Where a workload stands in the accounts of its namespace's quota. */
export interface QuotaView {
  /** Absent: nothing is to be changed. */
  readonly claim?: Claim;
  /** Why it must not work yet. */
  readonly wait?: NonNullable<Settled["wait"]>;
  /** US dollars that the accounts know it to have cost. */
  readonly spentUsd: number;
}
