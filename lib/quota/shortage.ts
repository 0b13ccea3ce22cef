/** What a quota lacks for a workload. */
export type Shortage =
  | { readonly of: "places"; readonly running: number; readonly max: number }
  | { readonly of: "namespaces"; readonly used: number; readonly max: number }
  | {
      readonly of: "month";
      readonly month: string;
      readonly wants: number;
      readonly max: number;
      readonly spent: number;
      readonly setAside: number;
    }
  /** It fits into no month. */
  | { readonly of: "every month"; readonly wants: number; readonly max: number }
  /** There is enough, and others come first. */
  | { readonly of: "turn" }
  /** A month is limited, and it has no budget. */
  | { readonly of: "budget"; readonly max: number }
  | { readonly of: "quota"; readonly problem: string }
  /** Nothing new starts. */
  | { readonly of: "closed"; readonly closed: Wait }
  /** The accounts have no room for another one. */
  | { readonly of: "room"; readonly workloads: number };

export interface Wait {
  readonly reason: string;
  readonly message: string;
}
