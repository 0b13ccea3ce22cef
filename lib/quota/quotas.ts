import pLimit from "p-limit";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { ConfigMap, ConfigMaps } from "../edges/kube.ts";
import type { ReadLicence } from "../edges/licence-file.ts";
import { RetryableError } from "../errors.ts";
import type { LicenceReading } from "../licence/licence.ts";
import { type Standing, standingOf } from "../licence/standing.ts";
import { type Accounts, NO_ACCOUNTS, parseAccounts, usageIn } from "./accounts.ts";
import { QUOTAS, type Quota, quotaIn } from "./limits.ts";
import { usdText } from "./micro-usd.ts";
import { INSTALLATION, type Scope } from "./scope.ts";
import type { Wait } from "./shortage.ts";

/** The quotas of namespaces and of the installation, and what of them is used. @throws what ConfigMaps throws; TerminalError QuotaAccountsInvalid */
export interface Quotas {
  /** undefined: it has none. The installation always has one. */
  read(scope: Scope): Promise<QuotaUse | undefined>;
  /** All that have accounts. One that cannot be read is left out. */
  readAll(): Promise<(QuotaUse & { readonly scope: Scope })[]>;
  /** A conditional write: `change` is asked again where somebody else was faster. @throws RetryableError QuotaContended */
  change(scope: Scope, change: (before: Accounts) => Accounts): Promise<Accounts>;
}

export interface QuotaUse {
  readonly quota: Quota;
  readonly accounts: Accounts;
  /** What is to be said of the licence. */
  readonly notice?: Wait;
  /** Of the installation's: how its licence stands. */
  readonly standing?: Standing;
}

const PREFIX = "agentic-usage";
/** Of a namespace's accounts its name. */
const LABEL = "agentic.dev/usage-of";
/** Other processes' writes that one of ours gives way to. */
const MAX_ATTEMPTS = 20;

const nameOf = (scope: Scope): string => (scope === INSTALLATION ? PREFIX : `${PREFIX}-${scope}`);
const scopeOf = (name: string): Scope => (name === PREFIX ? INSTALLATION : name.slice(nameOf("").length));

/** Accounts are ConfigMaps of agentic-system, one a namespace and one of the installation, where no tenant writes. */
export function createQuotas(configMaps: ConfigMaps, licence: ReadLicence, now: () => Date): Quotas {
  // One write at a time in this process: many workloads that start together would only be in each other's way.
  const turns = new Map<Scope, ReturnType<typeof pLimit>>();
  const turnOf = (scope: Scope): ReturnType<typeof pLimit> => {
    const turn = turns.get(scope) ?? pLimit(1);
    turns.set(scope, turn);
    return turn;
  };
  const find = (scope: Scope) => configMaps.get({ namespace: SHARED_NAMESPACE, name: nameOf(scope) });

  async function useOf(scope: Scope, accounts: () => Promise<Accounts>): Promise<QuotaUse | undefined> {
    if (scope === INSTALLATION) return licensed(...(await Promise.all([accounts(), licence()])), now());
    const quota = await quotaIn((await configMaps.get(QUOTAS))?.data, scope);
    return quota && { quota, accounts: await accounts() };
  }

  async function changeOnce(scope: Scope, change: (before: Accounts) => Accounts): Promise<Accounts | "conflict"> {
    const found = await find(scope);
    const before = accountsIn(found);
    const accounts = change(before);
    if (accounts === before) return accounts;
    const name = nameOf(scope);
    const metadata = {
      namespace: SHARED_NAMESPACE,
      name,
      labels: { [LABEL]: scope === INSTALLATION ? "" : scope },
    };
    const data = { summary: summaryOf(accounts, scope), accounts: JSON.stringify(accounts) };
    const result = found
      ? await configMaps.replace(metadata, { metadata: { ...metadata, resourceVersion: found.resourceVersion }, data })
      : await configMaps.create({ metadata, data });
    return result === "written" ? accounts : "conflict";
  }

  return {
    read: (scope) => useOf(scope, async () => accountsIn(await find(scope))),
    async readAll() {
      const all = await configMaps.list({ namespace: SHARED_NAMESPACE, labelSelector: LABEL });
      const readable = all.flatMap((one) => {
        try {
          return [{ scope: scopeOf(one.name), accounts: accountsIn(one) }];
        } catch {
          // Its workloads say so in their status.
          return [];
        }
      });
      const uses = readable.map(async ({ scope, accounts }) => {
        const use = await useOf(scope, async () => accounts);
        return use ? [{ scope, ...use }] : [];
      });
      return (await Promise.all(uses)).flat();
    },
    change: (scope, change) =>
      turnOf(scope)(async () => {
        for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
          const accounts = await changeOnce(scope, change);
          if (accounts !== "conflict") return accounts;
        }
        const message = `the ConfigMap ${nameOf(scope)} was still changing after ${MAX_ATTEMPTS} attempts`;
        throw new RetryableError("QuotaContended", message, { countsAsAttempt: false });
      }),
  };
}

function licensed(accounts: Accounts, reading: LicenceReading | undefined, now: Date): QuotaUse {
  const standing = standingOf(reading, now, accounts.latest);
  const { limits, notice } = standing;
  return { quota: limits, accounts, standing, ...(notice ? { notice } : {}) };
}

function accountsIn(found: ConfigMap | undefined): Accounts {
  return found ? parseAccounts(found.data["accounts"] ?? "", `${SHARED_NAMESPACE}/${found.name}`) : NO_ACCOUNTS;
}

/** For whoever reads the ConfigMap. */
function summaryOf(accounts: Accounts, scope: Scope): string {
  const { month, spent, setAside, running, waiting, namespaces } = usageIn(accounts);
  const work = `${running} at work, ${waiting} in the queue`;
  if (scope !== INSTALLATION) return `${month}: $${usdText(spent)} spent, $${usdText(setAside)} set aside; ${work}`;
  return `${month}: ${spent} items counted, ${setAside} of runs under way, in ${namespaces} namespaces; ${work}`;
}
