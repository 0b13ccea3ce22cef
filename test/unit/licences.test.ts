import { expect, test } from "vitest";
import { licenceProblems } from "../../scripts/check-licences.ts";

const sbom = (...licenses: object[]) => ({ components: [{ name: "left-pad", version: "1.0.0", licenses }] });

test.each([
  ["by its id", { license: { id: "MIT" } }],
  ["both of two", { expression: "Apache-2.0 AND MIT" }],
  ["one of two", { expression: "(GPL-3.0-only OR MIT)" }],
])("compatible: %s", (_, license) => {
  expect(licenceProblems(sbom(license))).toEqual([]);
});

test.each([
  ["GPL-3.0-only", { license: { id: "GPL-3.0-only" } }],
  ["MIT AND SSPL-1.0", { expression: "MIT AND SSPL-1.0" }],
  ["GPL-2.0-only OR AGPL-3.0-only", { expression: "GPL-2.0-only OR AGPL-3.0-only" }],
  ["SEE LICENSE IN x", { license: { name: "SEE LICENSE IN x" } }],
])("not: %s", (said, license) => {
  expect(licenceProblems(sbom(license))).toEqual([`left-pad 1.0.0: ${said}`]);
});

test("not: none at all", () => {
  expect(licenceProblems(sbom())).toEqual(["left-pad 1.0.0: no licence is named"]);
});
