import type { Context } from "hono";
import type { FailedItem } from "../../engine/status-text.ts";
import type { ObjectRef } from "../../lib/edges/kube.ts";
import type { Logger } from "../../lib/log.ts";
import type { Feed } from "./feed.ts";

/** Somebody who may read some runs. Permissions are those of this moment, give or take seconds. @throws RetryableError ApiUnavailable */
export interface Reader {
  /** As the API server knows them. */
  readonly name: string;
  /** Those of the namespaces whose runs they may list. */
  mayList(namespaces: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  mayRead(ref: ObjectRef): Promise<boolean>;
}

/** Whom a token names; undefined: nobody, or it is no token for these pages, or it has expired. @throws RetryableError */
export type ReaderOf = (token: string) => Promise<Reader | undefined>;

export interface Limits {
  /** Streams of this process. */
  readonly streams: number;
  /** Of them, those of one reader. */
  readonly streamsOfReader: number;
  /** A stream ends then, and the browser opens another. */
  readonly lifeMs: number;
  /** How often a stream asks again who reads and what they may; something is sent as often, so that proxies see it alive. */
  readonly recheckMs: number;
  /** Changes of so long are sent together. */
  readonly gatherMs: number;
}

export const LIMITS: Limits = { streams: 64, streamsOfReader: 8, lifeMs: 240_000, recheckMs: 10_000, gatherMs: 500 };

export interface PagesDeps {
  readonly feed: Feed;
  /** Where the pages are mounted. */
  readonly base: string;
  /** Who sends a request. */
  readonly readerOf: (c: Context) => Promise<Reader | undefined>;
  /** The answer to a page's request by nobody who is known. */
  readonly refuse: (c: Context) => Response | Promise<Response>;
  /** Whether the pages have a button that signs out. */
  readonly signsOut: boolean;
  /** Why items failed, where the reader may read that. */
  readonly failures?: (ref: ObjectRef) => Promise<readonly FailedItem[]>;
  readonly now: () => Date;
  readonly log: Logger;
  readonly draining: AbortSignal;
  readonly limits: Limits;
}
