import { type ArtifactOwner, isArtifactOf } from "../engine/artifact-key.ts";
import type { Finding } from "../engine/findings.ts";
import { SUMMARY, type Summary, summarySchema } from "../engine/summary.ts";
import type { ArtifactReader } from "./edges/artifacts.ts";
import { TerminalError } from "./errors.ts";
import { schemaProblems } from "./schema-problems.ts";

/** More than any valid summary has. */
const MAX_SUMMARY_BYTES = 8 * 1024 * 1024;

/**
 * What a finding's step tells its reviewer; undefined: nothing. A summary comes from somebody's agent.
 * @throws TerminalError InvalidSummary, and what artifacts throw
 */
export async function loadSummary(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  finding: Finding,
): Promise<Summary | undefined> {
  const key = finding.artifacts[SUMMARY];
  if (key === undefined) return undefined;
  const summary = readSummary(await artifacts.get(workload, key));
  const foreign = summary.pictures
    .flatMap(({ image, full }) => (full ? [image, full] : [image]))
    .find((picture) => !isArtifactOf(workload, picture) || !/\.(png|jpg)$/.test(picture));
  if (foreign === undefined) return summary;
  throw new TerminalError("InvalidSummary", `${JSON.stringify(foreign)} is no PNG or JPEG of this workload`);
}

/** Undefined also of one that is invalid, or gone: the review page says why it cannot be shown. @throws RetryableError of the store */
export async function loadSummaryIfValid(...of: Parameters<typeof loadSummary>): Promise<Summary | undefined> {
  try {
    return await loadSummary(...of);
  } catch (error) {
    if (error instanceof TerminalError) return undefined;
    throw error;
  }
}

function readSummary(bytes: Uint8Array): Summary {
  if (bytes.length > MAX_SUMMARY_BYTES) throw new TerminalError("InvalidSummary", `it has ${bytes.length} bytes`);
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new TerminalError("InvalidSummary", "it is not JSON", { cause });
  }
  const parsed = summarySchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new TerminalError("InvalidSummary", schemaProblems(parsed.error));
}
