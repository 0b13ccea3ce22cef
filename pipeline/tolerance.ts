/** How many of `total` sites may fail: a number as it is, a percentage rounded down. */
export function toleratedFailures(failedSites: number | string, total: number): number {
  if (typeof failedSites === "number") return failedSites;
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(failedSites);
  if (!match?.[1]) throw new RangeError(`${JSON.stringify(failedSites)} is neither a number nor a percentage`);
  return match[2] ? Math.floor((Number(match[1]) / 100) * total) : Number(match[1]);
}
