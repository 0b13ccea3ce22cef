/** One guard taken out of the code. `npm run mutate` does so in a copy of the tree, and expects a test to fail. */
export interface Mutation {
  /** What holds because of the guard. */
  readonly why: string;
  /** Below the root. */
  readonly file: string;
  /** Exact text that occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** vitest files, unit or integration, of which one must fail. */
  readonly tests: readonly string[];
  /** Why no test can fail: the code does the same without it, or what differs is no promise. */
  readonly equivalent?: string;
}

/** Mutations of one file, held by the same tests unless they name others. */
export function mutationsOf(
  file: string,
  tests: readonly string[],
  mutations: readonly (Omit<Mutation, "file" | "tests"> & Partial<Pick<Mutation, "tests">>)[],
): Mutation[] {
  return mutations.map((mutation) => ({ file, tests, ...mutation }));
}
