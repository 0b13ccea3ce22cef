import { execFileSync } from "node:child_process";
import { z } from "zod";

/** CycloneDX 1.5, as npm writes it. */
const sbomSchema = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ "bom-ref": z.string() }) }),
  components: z.array(z.looseObject({ "bom-ref": z.string(), name: z.string() })),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});
export type Sbom = z.infer<typeof sbomSchema>;

/** What the product brings along, by its lock file. */
export function readSbom(root: string): Sbom {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"];
  const sbom = execFileSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return sbomSchema.parse(JSON.parse(sbom));
}

/** The part of it that a package needs which depends on these alone. */
export function sbomFor(dependencies: readonly string[], sbom: Sbom): Sbom {
  const { "bom-ref": own } = sbom.metadata.component;
  const dependsOn = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const names = new Map(sbom.components.map(({ "bom-ref": ref, name }) => [ref, name]));
  const direct = (dependsOn.get(own) ?? []).filter((ref) => dependencies.includes(names.get(ref) ?? ""));
  const reached = new Set(direct);
  for (const ref of reached) for (const next of dependsOn.get(ref) ?? []) reached.add(next);
  return {
    ...sbom,
    components: sbom.components.filter(({ "bom-ref": ref }) => reached.has(ref)),
    dependencies: [{ ref: own, dependsOn: direct }, ...sbom.dependencies.filter(({ ref }) => reached.has(ref))],
  };
}
