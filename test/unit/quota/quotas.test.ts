import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConfigMap, ConfigMaps } from "../../../lib/edges/kube.ts";
import { RetryableError } from "../../../lib/errors.ts";
import type { Licence } from "../../../lib/licence/licence.ts";
import { type Accounts, type Claim, close, NO_ACCOUNTS, settle, withClock } from "../../../lib/quota/accounts.ts";
import { createQuotas, type Quotas } from "../../../lib/quota/quotas.ts";
import { INSTALLATION } from "../../../lib/quota/scope.ts";

/** ConfigMaps of an API server; `lose`: whether an answer is lost, after its write has landed. */
function createConfigMaps(lose: () => boolean = () => false) {
  const all = new Map<string, ConfigMap>();
  all.set("agentic-quotas", { name: "agentic-quotas", resourceVersion: "0", data: { _default: "maxRunning: 2" } });
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
    list: () => answer([...all.values()].filter(({ name }) => name.startsWith("agentic-usage"))),
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

const NOW = new Date("2026-11-30T10:00:00Z");
const quotasOf = (configMaps: ConfigMaps) =>
  createQuotas(
    configMaps,
    async () => undefined,
    () => NOW,
  );
/** Of a namespace that has a quota, whatever that is. */
const accountsOf = async (quotas: Quotas, scope = "team-a") => {
  const use = await quotas.read(scope);
  if (!use) throw new Error(`${scope} has no quota`);
  return use.accounts;
};

const LIMITS = { maxRunning: 2, maxPerMonth: 10 };
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
    const quotas = quotasOf(configMaps);
    const work = (before: Accounts) => settle(before, LIMITS, claimOf(1, "work")).accounts;
    expect((await quotas.change("team-a", work)).workloads["uid-1"]?.open?.place).toBe(true);
    await quotas.change("team-a", work);
    expect(writes).toEqual(["agentic-usage-team-a"]);
    expect(Object.keys((await accountsOf(quotas, "team-b")).workloads)).toEqual([]);
  });

  test("are changed again where another process was faster", async () => {
    const { configMaps } = createConfigMaps();
    const [one, two] = [quotasOf(configMaps), quotasOf(configMaps)];
    const given = await Promise.all(
      [1, 2, 3, 4, 5].flatMap((uid) =>
        [one, two].map((quotas) =>
          quotas.change("team-a", (before) => settle(before, LIMITS, claimOf(uid, "work")).accounts),
        ),
      ),
    );
    expect(given).toHaveLength(10);
    expect(placesIn(await accountsOf(one, "team-a"))).toHaveLength(2);
  });

  test("that change for ever are given up on, for now", async () => {
    const { configMaps } = createConfigMaps();
    const quotas = quotasOf({ ...configMaps, create: async () => "conflict" });
    const work = (before: Accounts) => settle(before, LIMITS, claimOf(1, "work")).accounts;
    await expect(quotas.change("team-a", work)).rejects.toMatchObject({ reason: "QuotaContended" });
  });

  test("of one namespace that are unreadable keep no other's from being read", async () => {
    const { all, configMaps } = createConfigMaps();
    const quotas = quotasOf(configMaps);
    await quotas.change("team-b", (before) => settle(before, LIMITS, claimOf(1, "work")).accounts);
    all.set("agentic-usage-team-a", { name: "agentic-usage-team-a", resourceVersion: "x", data: { accounts: "{}" } });
    expect((await quotas.readAll()).map(({ scope }) => scope)).toEqual(["team-b"]);
    await expect(accountsOf(quotas, "team-a")).rejects.toMatchObject({ reason: "QuotaAccountsInvalid" });
  });
});

describe("the quota of the installation", () => {
  const LICENCE: Licence = {
    iss: "tests",
    sub: "ACME",
    plan: "team",
    iat: 0,
    nbf: 0,
    exp: Date.parse("2026-11-29T00:00:00Z") / 1000,
    grace: 0,
    limits: { workloadsAtOnce: 1 },
  };
  const run = { id: "r", hasBegun: false };
  const licensed = (configMaps: ConfigMaps, now = NOW) =>
    createQuotas(
      configMaps,
      async () => LICENCE,
      () => now,
    );

  test("without a licence is the community's, and its accounts have a ConfigMap of their own", async () => {
    const { all, configMaps } = createConfigMaps();
    const quotas = quotasOf(configMaps);
    expect(await quotas.read(INSTALLATION)).toEqual({
      accounts: NO_ACCOUNTS,
      quota: { maxNamespaces: 20, maxRunning: 100, maxPerMonth: 1_000_000 },
      standing: { limits: { maxNamespaces: 20, maxRunning: 100, maxPerMonth: 1_000_000 } },
    });
    await quotas.change(INSTALLATION, (before) => settle(before, {}, { ...claimOf(1, "work"), run }).accounts);
    expect(all.get("agentic-usage")?.data["summary"]).toBe(
      "2026-11: 0 items counted, 4 of runs under way, in 1 namespaces; 1 at work, 0 in the queue",
    );
    expect((await quotas.readAll()).map(({ scope }) => scope)).toEqual([INSTALLATION]);
  });

  test("is that of its licence, as the time is", async () => {
    const { configMaps } = createConfigMaps();
    expect(await licensed(configMaps, new Date("2026-10-01T00:00:00Z")).read(INSTALLATION)).toEqual({
      accounts: NO_ACCOUNTS,
      quota: { maxRunning: 1 },
      standing: { limits: { maxRunning: 1 }, closes: new Date("2026-11-29T00:00:00Z") },
    });
    expect(await licensed(configMaps).read(INSTALLATION)).toMatchObject({
      quota: { closed: { reason: "LicenceExpired" } },
      notice: { reason: "LicenceExpired" },
    });
  });

  test("is judged by the latest time that was seen, where the clock was set back", async () => {
    const { configMaps } = createConfigMaps();
    await licensed(configMaps).change(INSTALLATION, (before) => withClock(before, NOW));
    const back = licensed(configMaps, new Date("2026-10-01T00:00:00Z"));
    expect((await back.read(INSTALLATION))?.notice).toMatchObject({
      reason: "LicenceExpired",
      message: expect.stringContaining("The clock says 2026-10-01, and 2026-11-30 was seen before"),
    });
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
        const processes: [Quotas, Quotas] = [quotasOf(configMaps), quotasOf(configMaps)];
        const costs = new Map<number, number>();
        const gone = new Set<number>();
        for (const round of rounds) {
          losses = true;
          // Each workload is looked at by one process at a time.
          const apart = [...new Map(round.map((one) => [one.uid, one])).values()].filter(({ uid }) => !gone.has(uid));
          await Promise.all(
            apart.map(async ({ uid, process, does, cost }) => {
              const quotas = processes[process === 0 ? 0 : 1];
              const hasPlace = (await accountsOrNone(quotas))?.workloads[`uid-${uid}`]?.open?.place;
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
          const accounts = await accountsOf(processes[0], "team-a");
          expect(placesIn(accounts).length).toBeLessThanOrEqual(2);
        }
        for (const uid of [0, 1, 2, 3, 4, 5, 6, 7])
          await processes[1].change("team-a", (before) =>
            close(before, { uid: `uid-${uid}`, spent: costs.get(uid) ?? 0, month: "2026-11" }),
          );
        const { spent, workloads } = await accountsOf(processes[0], "team-a");
        const paid = [...costs.values()].reduce((sum, cost) => sum + cost, 0);
        expect([spent, workloads]).toEqual([paid, {}]);
        expect(spent).toBeLessThanOrEqual(LIMITS.maxPerMonth);
      },
    ),
    { seed: Number(process.env["SEED"] ?? 1), numRuns: 200 },
  );
});

async function accountsOrNone(quotas: Quotas): Promise<Accounts | undefined> {
  return accountsOf(quotas).catch(() => undefined);
}
