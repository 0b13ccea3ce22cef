import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

export interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** At most this, or at least, where `atLeast` is set. */
  readonly goal?: number;
  readonly atLeast?: true;
}

/** Prints the figures as a table and writes bench/results/NAME.json. A missed goal is shown as missed and fails nothing. */
export function report(name: string, figures: readonly Figure[]): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? arch()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const date = new Date().toISOString();
  const rows = figures.map(({ figure, value, unit, goal, atLeast }) => ({
    figure,
    value: Number(value.toPrecision(4)),
    unit,
    ...(goal === undefined ? {} : { goal, holds: atLeast ? value >= goal : value <= goal }),
    machine,
    date,
  }));
  const folder = fileURLToPath(new URL("./results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify(rows, null, 2)}\n`);
  console.log(`\n${name} (${machine})`);
  const said = (value: unknown) => value ?? "";
  console.table(
    rows.map(({ figure, value, unit, ...rest }) => ({
      figure,
      value,
      unit,
      goal: said(rest.goal),
      holds: said(rest.holds),
    })),
  );
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The value that a share `at` of all are at most, 0 to 1. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(at * sorted.length) - 1)] ?? Number.NaN;
}
