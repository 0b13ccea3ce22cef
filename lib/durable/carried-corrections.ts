import { LRUCache } from "lru-cache";
import { type ArtifactOwner, artifactKey } from "../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { runResultsSchema } from "../../engine/comparison.ts";
import { madeCorrections } from "../../engine/corrections.ts";
import { decisionSchema, type Findings, findingsSchema, type MadeCorrection } from "../../engine/findings.ts";
import type { Run } from "../../engine/run.ts";
import { withCarried } from "../corrections.ts";
import { type ArtifactReader, getOwnJson } from "../edges/artifacts.ts";

/**
 * The findings of a gate with what its reviewer said, in the run that this one is compared with, of facts that are as they were. What is gone
 * from the store, or is no review, carries nothing over. `opened`: digest of the gate's review in this run, where there is one: what was
 * carried over to it stays so, whatever becomes of the other run. @throws RetryableError ArtifactStoreUnavailable; TerminalError StoreRefused
 */
export type CarryCorrections = (run: Run, findings: Findings, opened: string | undefined) => Promise<Findings>;

/** Gates whose corrections are remembered: reconcile looks at each again and again. */
const REMEMBERED = 64;

export function createCarryCorrections(artifacts: ArtifactReader): CarryCorrections {
  // By what it is made of, which is all named by its content.
  const cache = new LRUCache<string, Findings>({ max: REMEMBERED });
  const correctionsIn = async (
    owner: ArtifactOwner,
    reviewed: { readonly findings: string; readonly decision: string },
  ): Promise<MadeCorrection[]> => {
    const findings = await getOwnJson(artifacts, owner, reviewed.findings, findingsSchema);
    const decision = await getOwnJson(artifacts, owner, reviewed.decision, decisionSchema);
    return findings && decision ? madeCorrections(findings, decision) : [];
  };
  return async ({ workload, comparison }, findings, opened) => {
    const { uid, results } = comparison ?? {};
    if (uid === undefined || results === undefined) return findings;
    const made = sha256(canonicalJson([findings, opened ?? null, uid, results]));
    const known = cache.get(made);
    if (known) return known;
    const other = { namespace: workload.namespace, uid };
    const { gates = [] } = (await getOwnJson(artifacts, other, results, runResultsSchema)) ?? {};
    const reviewed = gates.find((one) => one.gate === findings.gate);
    const own = opened === undefined ? undefined : artifactKey(workload, opened, "json");
    // On one machine, the gate's last review may be that of the run before.
    const open =
      own === undefined || own === reviewed?.findings
        ? undefined
        : await getOwnJson(artifacts, workload, own, findingsSchema);
    const carried = await withCarried(
      artifacts,
      findings,
      open ? (open.carried ?? []) : reviewed ? await correctionsIn(other, reviewed) : [],
    );
    cache.set(made, carried);
    return carried;
  };
}
