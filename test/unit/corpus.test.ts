import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertIntegrity } from "../../bench/extraction/corpus/fetch.ts";
import { hostOf, PARTS, packagesOf, pagesOf } from "../../bench/extraction/corpus/parts.ts";
import { fileIn } from "../../bench/extraction/corpus/sites.ts";

describe("the corpus", () => {
  it.each(PARTS)("has each page's package in the part %s", (part) => {
    const known = packagesOf(part).map(({ name }) => name);
    expect(pagesOf(part).filter((page) => !known.includes(page.package))).toEqual([]);
    const mounted = packagesOf(part).flatMap(({ mounts = {} }) => Object.values(mounts));
    expect(mounted.filter((name) => !known.includes(name))).toEqual([]);
    expect(new Set(known.map(hostOf)).size).toBe(known.length);
  });

  it("has no site in both parts, so that nothing that is scored was developed on", () => {
    const [develop, scored] = PARTS.map((part) => new Set(pagesOf(part).map((page) => page.package)));
    expect([...(develop ?? [])].filter((name) => scored?.has(name))).toEqual([]);
  });
});

describe("assertIntegrity", () => {
  const bytes = new TextEncoder().encode("a tarball");
  const integrity = "sha512-/66rIPQC0mxTIVr+G7zGhn/yVrGoqm95T8XcQ++xgCksw1T5z9NWITDJZBfWwJD2T5D21wicFcMZTGAkuKEYAg==";

  it("takes the bytes that were written down", () =>
    expect(() => assertIntegrity("one", bytes, integrity)).not.toThrow());
  it("refuses others, and says which", () => {
    const other = new TextEncoder().encode("another tarball");
    expect(() => assertIntegrity("one@1.0.0", other, integrity)).toThrow(
      /^one@1\.0\.0 has integrity sha512-.*, not sha512-/,
    );
  });
});

describe("fileIn", () => {
  let root = "";
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "agentic-corpus-"));
    mkdirSync(join(root, "site", "docs"), { recursive: true });
    for (const file of ["secret.html", "site/index.html", "site/pricing.html", "site/docs/index.html"])
      writeFileSync(join(root, file), file);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each([
    ["/", "index.html"],
    ["/pricing", "pricing.html"],
    ["/pricing.html", "pricing.html"],
    ["/docs/", "docs/index.html"],
    ["/docs/../pricing", "pricing.html"],
  ])("finds %j", async (path, file) => expect(await fileIn(join(root, "site"), path)).toBe(join(root, "site", file)));

  it.each(["/missing", "/../secret.html", "/docs/../../secret"])("finds nothing at %j", async (path) =>
    expect(await fileIn(join(root, "site"), path)).toBeUndefined(),
  );
});
