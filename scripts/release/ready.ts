export interface Candidate {
  readonly version: string;
  readonly changelog: string;
  /** As `git status --porcelain` lists them. */
  readonly changes: string;
  readonly hasKey: boolean;
}

/** What keeps a tree from being released, each with what to do about it. Pure. */
export function problemsOf({ version, changelog, changes, hasKey }: Candidate): string[] {
  const isTold = changelog.split("\n").some((line) => line === `## ${version}` || line.startsWith(`## ${version} `));
  return [
    ...(isTold ? [] : [`CHANGELOG.md has no section ${version}: rename "Unreleased"`]),
    ...(changes === "" ? [] : ["The tree has changes that are not committed: commit them"]),
    ...(hasKey ? [] : ["There is no key to sign with: make release KEY=FILE"]),
  ];
}
