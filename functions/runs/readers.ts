import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import pLimit from "p-limit";
import type { Attributes, KubeUser, Permissions } from "../../lib/edges/kube-permissions.ts";
import { RetryableError } from "../../lib/errors.ts";
import type { Reader, ReaderOf } from "./deps.ts";

/**
 * Tokens for these pages are made for them: the API server refuses such a token itself, so that whoever steals one, from a phone or from
 * this process, can read runs and do nothing else.
 */
export const AUDIENCE = "agentic-runs";

/** More than any token has that the API server makes. */
const MAX_TOKEN = 8 * 1024;
/** Reviews at once, and those that wait behind them: strangers' tokens must not keep the API server busy. */
const AT_ONCE = 8;
const MAX_WAITING = 2000;

export interface ReaderTimes {
  /** How long an answer counts. One that something was refused lasts longer: of many namespaces most are other people's. */
  readonly allowedMs: number;
  readonly refusedMs: number;
}

const TIMES: ReaderTimes = { allowedMs: 8000, refusedMs: 60_000 };

/** Who may read what, as the API server says it: TokenReview, then SubjectAccessReview. Answers are remembered for seconds. */
export function createReaders(permissions: Permissions, times = TIMES): ReaderOf {
  const inTurn = pLimit(AT_ONCE);
  const busy = (): void => {
    if (inTurn.pendingCount >= MAX_WAITING)
      throw new RetryableError("Busy", "too many ask at once; try again in a few seconds");
  };
  const users = new LRUCache<string, Promise<KubeUser | undefined>>({ max: 2000, ttl: times.allowedMs });
  const rights = new LRUCache<string, Promise<boolean>>({ max: 20_000, ttl: times.refusedMs });

  const whoIs = (token: string): Promise<KubeUser | undefined> => {
    const key = createHash("sha256").update(token).digest("base64");
    return remembered(users, key, () => {
      busy();
      return inTurn(() => permissions.whoIs(token, AUDIENCE));
    });
  };
  const may = (user: KubeUser, attributes: Attributes): Promise<boolean> => {
    const { verb, namespace = "", name = "" } = attributes;
    const key = JSON.stringify([user, verb, namespace, name]);
    return remembered(rights, key, async () => {
      busy();
      const allowed = await inTurn(() => permissions.mayWorkloads(user, attributes));
      if (allowed) rights.set(key, Promise.resolve(true), { ttl: times.allowedMs });
      return allowed;
    });
  };
  return async (token) => {
    if (token.length > MAX_TOKEN) return undefined;
    const user = await whoIs(token);
    return user && readerOf(user, may);
  };
}

function readerOf(user: KubeUser, may: (user: KubeUser, attributes: Attributes) => Promise<boolean>): Reader {
  return {
    name: user.name,
    async mayList(namespaces) {
      if (namespaces.size === 0 || (await may(user, { verb: "list" }))) return namespaces;
      const asked = [...namespaces].map(async (namespace) => [namespace, await may(user, { verb: "list", namespace })]);
      return new Set(
        (await Promise.all(asked)).flatMap(([namespace, allowed]) => (allowed ? [String(namespace)] : [])),
      );
    },
    mayRead: ({ namespace, name }) => may(user, { verb: "get", namespace, name }),
  };
}

/** One question at a time for each key. One that failed is asked again. */
function remembered<T>(cache: LRUCache<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known) return known;
  const asked = ask();
  cache.set(key, asked);
  asked.catch(() => cache.delete(key));
  return asked;
}
