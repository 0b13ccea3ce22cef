import { LRUCache } from "lru-cache";
import { type EgressUsage, MAX_EGRESS_KINDS } from "../engine/result.ts";

/** Jobs to remember: the least recently used is forgotten first. */
const MAX_JOBS = 2_000;
/** Told apart, so that there is room for all others, by their reasons. */
const MAX_NAMED = MAX_EGRESS_KINDS - 10;
/** In place of a host: all beyond those that are told apart. A page can ask for any number. */
const OTHERS = "(others)";

interface Usage {
  requests: number;
  bytes: number;
  readonly hosts: Map<string, { requests: number; bytes: number }>;
  /** By host and reason. */
  readonly refused: Map<string, { readonly host: string; readonly reason: string; count: number }>;
}

export interface UsageLedger {
  /** One that is let through. */
  request(job: string, host: string): void;
  /** Both directions, as the job sees them: tunnels count their TLS bytes. */
  bytes(job: string, host: string | undefined, count: number): void;
  /** @returns whether this is the first of its kind */
  refuse(job: string, host: string, reason: string): boolean;
  bytesOf(job: string): number;
  of(job: string): EgressUsage;
}

/** Counts by job. A job is named by its step's identity. */
export function createUsageLedger(): UsageLedger {
  const jobs = new LRUCache<string, Usage>({ max: MAX_JOBS });
  const entry = (job: string): Usage => {
    const known = jobs.get(job);
    if (known) return known;
    const usage: Usage = { requests: 0, bytes: 0, hosts: new Map(), refused: new Map() };
    jobs.set(job, usage);
    return usage;
  };
  const hostOf = ({ hosts }: Usage, host: string) => {
    const name = hosts.has(host) || hosts.size < MAX_NAMED ? host : OTHERS;
    const counts = hosts.get(name) ?? { requests: 0, bytes: 0 };
    hosts.set(name, counts);
    return counts;
  };
  return {
    request(job, host) {
      const usage = entry(job);
      usage.requests++;
      hostOf(usage, host).requests++;
    },
    bytes(job, host, count) {
      const usage = entry(job);
      usage.bytes += count;
      if (host !== undefined) hostOf(usage, host).bytes += count;
    },
    refuse(job, host, reason) {
      const { refused } = entry(job);
      const isNamed = refused.has(`${host} ${reason}`) || refused.size < MAX_NAMED;
      const name = isNamed ? host : OTHERS;
      const kind = refused.get(`${name} ${reason}`) ?? { host: name, reason, count: 0 };
      refused.set(`${name} ${reason}`, kind);
      kind.count++;
      return kind.count === 1;
    },
    bytesOf: (job) => jobs.peek(job)?.bytes ?? 0,
    of(job) {
      const { requests = 0, bytes = 0, hosts = [], refused = new Map() } = jobs.peek(job) ?? {};
      return {
        requests,
        bytes,
        hosts: [...hosts].map(([host, counts]) => ({ host, ...counts })),
        refused: [...refused.values()].map((kind) => ({ ...kind })),
      };
    },
  };
}
