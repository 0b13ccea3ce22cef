import { LRUCache } from "lru-cache";
import type { Review } from "../../crd/agentworkload.ts";
import { type ArtifactOwner, artifactKey } from "../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { runResultsSchema } from "../../engine/comparison.ts";
import { madeCorrections, reviewsBefore } from "../../engine/corrections.ts";
import { decisionSchema, type Findings, findingsSchema, type MadeCorrection } from "../../engine/findings.ts";
import type { Run } from "../../engine/run.ts";
import { withCarried } from "../corrections.ts";
import { type ArtifactReader, getOwnJson } from "../edges/artifacts.ts";

/**
 * The findings of a gate with what its last reviewer said of facts that are still there: in the run that this one is compared with, or in an
 * earlier run of the workload that was not approved since. What is gone from the store, or is no review, carries nothing over. `reviews`: the
 * known ones of this gate in runs of the workload, this one among them: what was carried over to an open one stays so, whatever becomes of
 * other runs. @throws RetryableError ArtifactStoreUnavailable; TerminalError StoreRefused
 */
export type CarryCorrections = (run: Run, findings: Findings, reviews: readonly Review[]) => Promise<Findings>;

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
  return async (run, findings, reviews) => {
    const { workload, comparison } = run;
    const { opened, last } = reviewsBefore(run, reviews);
    const made = sha256(canonicalJson([findings, opened?.digest ?? null, last ?? null, comparison ?? null]));
    const known = cache.get(made);
    if (known) return known;
    const findingsAt = (key: string) => getOwnJson(artifacts, workload, key, findingsSchema);
    const said = async (): Promise<MadeCorrection[]> => {
      // What was said last stands in the status, also where the store has lost what it was said of.
      if (last) return madeCorrections((await findingsAt(keyOf(last, workload))) ?? {}, last);
      const compared = await comparedGate(artifacts, run, findings.gate);
      const own = opened && keyOf(opened, workload);
      // On one machine, the gate's last review may be that of the run before.
      const open = own === undefined || own === compared?.findings ? undefined : await findingsAt(own);
      if (open) return [...(open.carried ?? []), ...(open.noted ?? [])];
      return compared ? correctionsIn(compared.owner, compared) : [];
    };
    const carried = await withCarried(artifacts, findings, await said());
    cache.set(made, carried);
    return carried;
  };
}

const keyOf = ({ digest }: Review, workload: ArtifactOwner): string => artifactKey(workload, digest, "json");

async function comparedGate(artifacts: ArtifactReader, { workload, comparison }: Run, gate: string) {
  const { uid, results } = comparison ?? {};
  if (uid === undefined || results === undefined) return undefined;
  const owner = { namespace: workload.namespace, uid };
  const { gates = [] } = (await getOwnJson(artifacts, owner, results, runResultsSchema)) ?? {};
  const reviewed = gates.find((one) => one.gate === gate);
  return reviewed && { ...reviewed, owner };
}
