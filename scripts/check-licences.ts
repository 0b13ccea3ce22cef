/**
 * `npm run check:licences`: what the product brings along, by the lock file, and under which licences. Prints each package whose licence
 * is not known to be compatible with ours.
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { readSbom } from "./sbom.ts";

/** Permissive ones. LGPL: sharp's libvips, a shared library of its own beside our code, which a user may replace. */
const COMPATIBLE = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "LGPL-3.0-or-later",
  "MIT",
  "PSF-2.0",
  "Unlicense",
  "Zlib",
]);

/** As far as licences go: CycloneDX 1.5. */
const sbomSchema = z.object({
  components: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      licenses: z
        .array(
          z.object({
            license: z.object({ id: z.string().optional(), name: z.string().optional() }).optional(),
            expression: z.string().optional(),
          }),
        )
        .default([]),
    }),
  ),
});

/** @returns a sentence for each package; of `A OR B` one is enough, of `A AND B` all count */
export function licenceProblems(sbom: unknown): string[] {
  return sbomSchema.parse(sbom).components.flatMap(({ name, version, licenses }) => {
    const said = licenses.map(({ license, expression }) => expression ?? license?.id ?? license?.name ?? "unknown");
    const isFine = said.length > 0 && said.every(isCompatible);
    return isFine ? [] : [`${name} ${version}: ${said.join(", ") || "no licence is named"}`];
  });
}

function isCompatible(expression: string): boolean {
  return expression
    .replace(/[()]/g, "")
    .split(" OR ")
    .some((all) => all.split(" AND ").every((one) => COMPATIBLE.has(one.trim())));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = licenceProblems(readSbom(fileURLToPath(new URL("..", import.meta.url))));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
