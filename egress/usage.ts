import { LRUCache } from "lru-cache";

/** What one job did through the proxy. */
export interface JobUsage {
  requests: number;
  /** Both directions, as the job sees them: tunnels count their TLS bytes. */
  bytes: number;
  refused: { host: string; reason: string; count: number }[];
}

/** Jobs to remember: the least recently used is forgotten first. */
const MAX_JOBS = 2_000;

/** Counts by job. A job is named by its step's identity. */
export function createUsageLedger(): {
  request(job: string): void;
  bytes(job: string, count: number): void;
  refuse(job: string, host: string, reason: string): void;
  of(job: string): JobUsage;
} {
  const jobs = new LRUCache<string, JobUsage>({ max: MAX_JOBS });
  const entry = (job: string): JobUsage => {
    const known = jobs.get(job);
    if (known) return known;
    const usage: JobUsage = { requests: 0, bytes: 0, refused: [] };
    jobs.set(job, usage);
    return usage;
  };
  return {
    request(job) {
      entry(job).requests += 1;
    },
    bytes(job, count) {
      entry(job).bytes += count;
    },
    refuse(job, host, reason) {
      const { refused } = entry(job);
      const same = refused.find((line) => line.host === host && line.reason === reason);
      if (same) same.count += 1;
      else refused.push({ host, reason, count: 1 });
    },
    of: (job) => structuredClone(jobs.peek(job) ?? { requests: 0, bytes: 0, refused: [] }),
  };
}
