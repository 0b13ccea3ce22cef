/** How many of `total` items may fail: a number as it is, a percentage rounded down. @throws RangeError for anything else */
export function toleratedFailures(tolerated: number | string, total: number): number {
  if (typeof tolerated === "number") return tolerated;
  const percentage = /^(\d+(?:\.\d+)?)%$/.exec(tolerated)?.[1];
  if (percentage === undefined)
    throw new RangeError(`${JSON.stringify(tolerated)} is neither a number nor a percentage`);
  return Math.floor((Number(percentage) / 100) * total);
}
