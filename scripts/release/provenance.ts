import type { Artifact } from "./checksums.ts";

export const IN_TOTO = "application/vnd.in-toto+json";

export interface Origin {
  readonly version: string;
  /** Of the commit that was built. */
  readonly revision: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** Of what, and how, the artifacts were made: an in-toto statement with SLSA's provenance, version 1. */
export function provenanceOf(artifacts: readonly Artifact[], { version, revision, startedAt, finishedAt }: Origin) {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: artifacts.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "make release",
        externalParameters: { version },
        resolvedDependencies: [{ uri: "git+agentic-kubernetes", digest: { gitCommit: revision } }],
      },
      runDetails: {
        builder: { id: "scripts/release.ts" },
        metadata: { startedOn: startedAt.toISOString(), finishedOn: finishedAt.toISOString() },
      },
    },
  };
}
