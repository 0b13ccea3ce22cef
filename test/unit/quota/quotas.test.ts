import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConfigMap, ConfigMaps } from "../../../lib/edges/kube.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { type Accounts, type Claim, close, settle } from "../../../lib/quota/accounts.ts";
import { createQuotas, type Quotas } from "../../../lib/quota/quotas.ts";

/** ConfigMaps of an API server; `lose`: whether an answer is lost, after its write has landed. */
function createConfigMaps(lose: () => boolean = () => false) {
  const all = new Map<string, ConfigMap>();
  const writes: string[] = [];
  let version = 0;
  const answer = async <T>(value: T): Promise<T> => {
    await Promise.resolve();
    if (lose()) throw new RetryableError("ApiUnavailable", "its answer was lost");
    return value;
  };
  const put = (name: string, data: Record<string, string>): void => {
    writes.push(name);
    all.set(name, { name, data, resourceVersion: String(++version) });
  };
  const configMaps: ConfigMaps = {
    get: ({ name }) => answer(all.get(name)),
    list: () => answer([...all.values()].filter(({ name }) => name.startsWith("agentic-usage-"))),
    create: ({ metadata, data = {} }) => {
      const isThere = all.has(metadata.name ?? "");
      if (!isThere) put(metadata.name ?? "", data);
      return answer(isThere ? "conflict" : "written");
    },
    replace: ({ name }, { metadata, data = {} }) => {
      const isSame = all.get(name)?.resourceVersion === metadata?.resourceVersion;
      if (isSame) put(name, data);
      return answer(isSame ? "written" : "conflict");
    },
  };
  return { all, writes, configMaps };
}

const LIMITS = { maxRunning: 2, maxUsdPerMonth: 10 };
const claimOf = (uid: number, need: Claim["need"], over: Partial<Claim> = {}): Claim => ({
  namespace: "team-a",
  uid: `uid-${uid}`,
  name: `w${uid}`,
  created: `2026-11-30T10:00:0${uid}.000Z`,
  need,
  budget: 4,
  spent: 0,
  month: "2026-11",
  ...over,
});

describe("the accounts of a namespace", () => {
  test("are written where they change, and only there", async () => {
    const { writes, configMaps } = createConfigMaps();
    const quotas = createQuotas(configMaps);
    const work = (before: Accounts) => settle(before, LIMITS, claimOf(1, "work")).accounts;
    expect((await quotas.change("team-a", work)).workloads["uid-1"]?.open?.place).toBe(true);
    await quotas.change("team-a", work);
    expect(writes).toEqual(["agentic-usage-team-a"]);
    expect(Object.keys((await quotas.accountsOf("team-b")).workloads)).toEqual([]);
  });

  test("are changed again where another process was faster", async () => {
    const { configMaps } = createConfigMaps();
    const [one, two] = [createQuotas(configMaps), createQuotas(configMaps)];
    const given = await Promise.all(
      [1, 2, 3, 4, 5].flatMap((uid) =>
        [one, two].map((quotas) =>
          quotas.change("team-a", (before) => settle(before, LIMITS, claimOf(uid, "work")).accounts),
        ),
      ),
    );
    expect(given).toHaveLength(10);
    expect(placesIn(await one.accountsOf("team-a"))).toHaveLength(2);
  });

  test("that change for ever are given up on, for now", async () => {
    const { configMaps } = createConfigMaps();
    const quotas = createQuotas({ ...configMaps, create: async () => "conflict" });
    const work = (before: Accounts) => settle(before, LIMITS, claimOf(1, "work")).accounts;
    await expect(quotas.change("team-a", work)).rejects.toMatchObject({ reason: "QuotaContended" });
  });

  test("of one namespace that are unreadable keep no other's from being read", async () => {
    const { all, configMaps } = createConfigMaps();
    const quotas = createQuotas(configMaps);
    await quotas.change("team-b", (before) => settle(before, LIMITS, claimOf(1, "work")).accounts);
    all.set("agentic-usage-team-a", { name: "agentic-usage-team-a", resourceVersion: "x", data: { accounts: "{}" } });
    expect((await quotas.allAccounts()).map(({ namespace }) => namespace)).toEqual(["team-b"]);
    await expect(quotas.accountsOf("team-a")).rejects.toMatchObject({ reason: "QuotaAccountsInvalid" });
  });
});

const placesIn = ({ workloads }: Accounts) => Object.values(workloads).filter(({ open }) => open?.place);

/** What a workload of the model did, as its own looks would tell it. */
type Step = {
  readonly uid: number;
  readonly process: number;
  readonly does: "work" | "pause" | "end" | "delete";
  readonly cost: number;
};
const step: fc.Arbitrary<Step> = fc.record({
  uid: fc.nat(7),
  process: fc.nat(1),
  does: fc.constantFrom("work", "work", "pause", "end", "delete"),
  cost: fc.nat(2),
});

test("whatever workloads do, and whichever answers are lost: no more places than there are, each cost once, never more than the quota", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 30 }),
      fc.nat(),
      async (rounds, seed) => {
        let draws = seed;
        let losses = false;
        const { configMaps } = createConfigMaps(() => {
          draws = (draws * 1_103_515_245 + 12_345) % 2 ** 31;
          return losses && draws % 5 === 0;
        });
        const processes: [Quotas, Quotas] = [createQuotas(configMaps), createQuotas(configMaps)];
        const costs = new Map<number, number>();
        const gone = new Set<number>();
        for (const round of rounds) {
          losses = true;
          // Each workload is looked at by one process at a time.
          const apart = [...new Map(round.map((one) => [one.uid, one])).values()].filter(({ uid }) => !gone.has(uid));
          await Promise.all(
            apart.map(async ({ uid, process, does, cost }) => {
              const quotas = processes[process === 0 ? 0 : 1];
              const hasPlace = (await accountsOf(quotas))?.workloads[`uid-${uid}`]?.open?.place;
              // What works costs, up to its budget.
              if (hasPlace) costs.set(uid, Math.min((costs.get(uid) ?? 0) + cost, 4));
              const spent = costs.get(uid) ?? 0;
              const change = (before: Accounts) =>
                does === "delete"
                  ? close(before, { uid: `uid-${uid}`, spent, month: "2026-11" })
                  : settle(before, LIMITS, claimOf(uid, does, { spent })).accounts;
              if (does === "delete") gone.add(uid);
              await quotas.change("team-a", change).catch(() => quotas.change("team-a", change).catch(() => undefined));
            }),
          );
          losses = false;
          const accounts = await processes[0].accountsOf("team-a");
          expect(placesIn(accounts).length).toBeLessThanOrEqual(2);
        }
        for (const uid of [0, 1, 2, 3, 4, 5, 6, 7])
          await processes[1].change("team-a", (before) =>
            close(before, { uid: `uid-${uid}`, spent: costs.get(uid) ?? 0, month: "2026-11" }),
          );
        const { spent, workloads } = await processes[0].accountsOf("team-a");
        const paid = [...costs.values()].reduce((sum, cost) => sum + cost, 0);
        expect([spent, workloads]).toEqual([paid, {}]);
        expect(spent).toBeLessThanOrEqual(LIMITS.maxUsdPerMonth);
      },
    ),
    { seed: Number(process.env["SEED"] ?? 1), numRuns: 200 },
  );
});

async function accountsOf(quotas: Quotas): Promise<Accounts | undefined> {
  return quotas.accountsOf("team-a").catch(() => undefined);
}
