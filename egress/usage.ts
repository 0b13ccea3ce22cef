/** What one job did through the proxy. */
export interface JobUsage {
  requests: number;
  /** Both directions, as seen by the job: tunnels count their TLS bytes. */
  bytes: number;
  refused: { host: string; reason: string; count: number }[];
}

/** How many jobs are remembered: the oldest is forgotten first, so that a long-lived proxy does not grow. */
const MAX_JOBS = 2_000;

/** Counts by job. A job is named by its step's identity. */
export function createUsageLedger(): {
  request(job: string): void;
  bytes(job: string, count: number): void;
  refuse(job: string, host: string, reason: string): void;
  of(job: string): JobUsage;
} {
  const jobs = new Map<string, JobUsage>();
  const entry = (job: string): JobUsage => {
    let usage = jobs.get(job);
    if (!usage) {
      const oldest = jobs.size >= MAX_JOBS ? jobs.keys().next().value : undefined;
      if (oldest !== undefined) jobs.delete(oldest);
      usage = { requests: 0, bytes: 0, refused: [] };
      jobs.set(job, usage);
    }
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
    of: (job) => structuredClone(jobs.get(job) ?? { requests: 0, bytes: 0, refused: [] }),
  };
}
