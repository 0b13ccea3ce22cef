import pLimit from "p-limit";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { ConfigMap, ConfigMaps } from "../edges/kube.ts";
import { RetryableError } from "../errors.ts";
import { type Accounts, NO_ACCOUNTS, parseAccounts, summaryOf } from "./accounts.ts";
import { QUOTAS, type Quota, quotaIn } from "./limits.ts";

/** The quotas of namespaces, and what of them is used. @throws what ConfigMaps throws; TerminalError QuotaAccountsInvalid */
export interface Quotas {
  /** undefined: the namespace has none. */
  quotaOf(namespace: string): Promise<Quota | undefined>;
  accountsOf(namespace: string): Promise<Accounts>;
  /** Of all namespaces that have any. One that cannot be read is left out. */
  allAccounts(): Promise<{ readonly namespace: string; readonly accounts: Accounts }[]>;
  /** A conditional write: `change` is asked again where somebody else was faster. @throws RetryableError QuotaContended */
  change(namespace: string, change: (before: Accounts) => Accounts): Promise<Accounts>;
}

const LABEL = "agentic.dev/usage-of";
/** Other processes' writes that one of ours gives way to. */
const MAX_ATTEMPTS = 20;

const nameOf = (namespace: string): string => `agentic-usage-${namespace}`;

/** Accounts are ConfigMaps of agentic-system, one a namespace, where no tenant writes. */
export function createQuotas(configMaps: ConfigMaps): Quotas {
  // One write at a time in this process: many workloads that start together would only be in each other's way.
  const turns = new Map<string, ReturnType<typeof pLimit>>();
  const turnOf = (namespace: string): ReturnType<typeof pLimit> => {
    const turn = turns.get(namespace) ?? pLimit(1);
    turns.set(namespace, turn);
    return turn;
  };
  const find = (namespace: string) => configMaps.get({ namespace: SHARED_NAMESPACE, name: nameOf(namespace) });

  async function changeOnce(namespace: string, change: (before: Accounts) => Accounts): Promise<Accounts | "conflict"> {
    const found = await find(namespace);
    const before = accountsIn(found);
    const accounts = change(before);
    if (accounts === before) return accounts;
    const name = nameOf(namespace);
    const metadata = { namespace: SHARED_NAMESPACE, name, labels: { [LABEL]: namespace } };
    const data = { summary: summaryOf(accounts), accounts: JSON.stringify(accounts) };
    const result = found
      ? await configMaps.replace(metadata, { metadata: { ...metadata, resourceVersion: found.resourceVersion }, data })
      : await configMaps.create({ metadata, data });
    return result === "written" ? accounts : "conflict";
  }

  return {
    quotaOf: async (namespace) => quotaIn((await configMaps.get(QUOTAS))?.data, namespace),
    accountsOf: async (namespace) => accountsIn(await find(namespace)),
    async allAccounts() {
      const all = await configMaps.list({ namespace: SHARED_NAMESPACE, labelSelector: LABEL });
      return all.flatMap((one) => {
        const namespace = one.name.slice(nameOf("").length);
        try {
          return [{ namespace, accounts: accountsIn(one) }];
        } catch {
          // Its workloads say so in their status.
          return [];
        }
      });
    },
    change: (namespace, change) =>
      turnOf(namespace)(async () => {
        for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
          const accounts = await changeOnce(namespace, change);
          if (accounts !== "conflict") return accounts;
        }
        const message = `the accounts of namespace ${namespace} were still changing after ${MAX_ATTEMPTS} attempts`;
        throw new RetryableError("QuotaContended", message, { countsAsAttempt: false });
      }),
  };
}

function accountsIn(found: ConfigMap | undefined): Accounts {
  return found ? parseAccounts(found.data["accounts"] ?? "", `${SHARED_NAMESPACE}/${found.name}`) : NO_ACCOUNTS;
}
