/** Seconds of processor of each part. */
export type Used = ReadonlyMap<string, number>;

export interface Measured {
  readonly used: Used;
  readonly runs: number;
  readonly items: number;
}

export interface Demand {
  readonly name: string;
  /** Milliseconds of processor, for each item and for each run. */
  readonly itemMs: number;
  readonly runMs: number;
}

/** What each part does for an item and for a run, of two measurements with other proportions. Least that is possible: 0. Pure. */
export function demands(many: Measured, few: Measured): Demand[] {
  const names = [...many.used.keys()].filter((name) => few.used.has(name));
  return names.map((name) => {
    const [a, b] = [(many.used.get(name) ?? 0) * 1000, (few.used.get(name) ?? 0) * 1000];
    const determinant = many.items * few.runs - few.items * many.runs;
    const itemMs = Math.max(0, (a * few.runs - b * many.runs) / determinant);
    const runMs = Math.max(0, (b - itemMs * few.items) / few.runs);
    return { name, itemMs, runMs };
  });
}

export function difference(after: Used, before: Used): Used {
  return new Map([...after].map(([name, seconds]) => [name, Math.max(0, seconds - (before.get(name) ?? 0))]));
}
