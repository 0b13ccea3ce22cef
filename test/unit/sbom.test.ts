import { expect, test } from "vitest";
import { sbomFor } from "../../scripts/sbom.ts";

const component = (ref: string) => ({ "bom-ref": `${ref}@1.0.0`, name: ref });
const depends = (ref: string, ...on: string[]) => ({ ref: `${ref}@1.0.0`, dependsOn: on.map((one) => `${one}@1.0.0`) });
const SBOM = {
  bomFormat: "CycloneDX",
  metadata: { component: component("own") },
  components: ["a", "b", "c", "d", "e"].map(component),
  dependencies: [depends("own", "a", "b"), depends("a", "c"), depends("b", "d"), depends("c", "e", "a"), depends("d")],
};

test("names what a package depends on, and what that does, and nothing else of the product", () => {
  expect(sbomFor(["a"], SBOM)).toEqual({
    ...SBOM,
    components: ["a", "c", "e"].map(component),
    dependencies: [depends("own", "a"), depends("a", "c"), depends("c", "e", "a")],
  });
  expect(sbomFor([], SBOM).components).toEqual([]);
});
