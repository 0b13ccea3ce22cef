import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readSbom, sbomFor } from "./sbom.ts";

export const root = fileURLToPath(new URL("..", import.meta.url));

export interface NpmPackage {
  readonly name: string;
  /** Relative to the repository; each becomes a file of its name at the package's top. */
  readonly entries: readonly string[];
  /** Fields of its package.json beside those that all have. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Adds what else it holds. @returns names of packages that this imports */
  readonly fill: (folder: string) => readonly string[];
}

/**
 * A package as `npm pack` leaves it, in `destination`. JavaScript, since Node strips no types below node_modules. Its dependencies are those
 * that its code imports; sbom.cdx.json names these, and theirs, for scanners.
 * @returns the tarball's path
 */
export async function packNpm({ name, entries, manifest, fill }: NpmPackage, destination: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  try {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [...entries],
      outdir: folder,
      entryNames: "[name]",
      bundle: true,
      splitting: true,
      packages: "external",
      platform: "node",
      target: "node24",
      format: "esm",
      metafile: true,
      logLevel: "warning",
    });
    const imported = Object.values(metafile.outputs)
      .flatMap(({ imports }) => imports)
      .filter(({ external }) => external)
      .map(({ path }) => path);
    const names = packagesOf([...imported, ...fill(folder)]);
    writeFileSync(join(folder, "package.json"), json(manifestOf(name, names, manifest)));
    writeFileSync(join(folder, "sbom.cdx.json"), json(sbomFor(names, readSbom(root))));
    writeFileSync(join(folder, "LICENSE"), readFileSync(join(root, "LICENSE")));
    mkdirSync(destination, { recursive: true });
    const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", resolve(destination)], { cwd: folder });
    return join(destination, JSON.parse(packed.toString())[0].filename);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function packagesOf(imports: readonly string[]): string[] {
  return [...new Set(imports.filter((path) => !isBuiltin(path)).map(packageOf))].sort();
}

function manifestOf(name: string, names: readonly string[], more: NpmPackage["manifest"]): object {
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const missing = names.filter((one) => own.dependencies[one] === undefined);
  if (missing.length > 0) throw new Error(`add to the dependencies of package.json: ${missing.join(", ")}`);
  return {
    name,
    version: own.version,
    description: own.description,
    license: own.license,
    type: "module",
    engines: { node: ">=24" },
    ...more,
    dependencies: Object.fromEntries(names.map((one) => [one, own.dependencies[one]])),
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** @scope/name or name, whatever file of it is imported. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
