/**
 * `npm run agent-package [FOLDER]`: the package that agents install, as `npm pack` leaves it, in dist/ or FOLDER. JavaScript and
 * its types, since Node strips no types below node_modules. Its dependencies are those that its code imports; sbom.cdx.json names these,
 * and theirs, for scanners.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readSbom, sbomFor } from "./sbom.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const destination = resolve(process.argv[2] ?? join(root, "dist"));
const folder = mkdtempSync(join(tmpdir(), "agent-package-"));
try {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["agent/index.ts", "agent/step-event.ts"],
    outdir: folder,
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    target: "node24",
    format: "esm",
    metafile: true,
    logLevel: "warning",
  });
  execFileSync("tsc", ["-p", "agent", "--outDir", join(folder, "types")], { cwd: root, stdio: "inherit" });
  const imported = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external }) => external)
    .map(({ path }) => path);
  const dependencies = packagesOf([...imported, ...typeImports(folder)]);
  writeFileSync(join(folder, "package.json"), json(manifest(dependencies)));
  writeFileSync(join(folder, "sbom.cdx.json"), json(sbomFor(dependencies, readSbom(root))));
  cpSync(join(root, "agent/README.md"), join(folder, "README.md"));
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  mkdirSync(destination, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", destination], { cwd: folder });
  console.log(join(destination, JSON.parse(packed.toString())[0].filename));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function packagesOf(imports: readonly string[]): string[] {
  return [...new Set(imports.filter((path) => !isBuiltin(path)).map(packageOf))].sort();
}

function manifest(names: readonly string[]): object {
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const missing = names.filter((name) => own.dependencies[name] === undefined);
  if (missing.length > 0) throw new Error(`add to the dependencies of package.json: ${missing.join(", ")}`);
  return {
    name: own.name,
    version: own.version,
    description: own.description,
    license: own.license,
    type: "module",
    engines: { node: ">=24" },
    exports: { "./agent": { types: "./types/agent/index.d.ts", default: "./index.js" } },
    bin: { "step-event": "step-event.js" },
    dependencies: Object.fromEntries(names.map((name) => [name, own.dependencies[name]])),
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** What the declarations import of other packages. */
function typeImports(folder: string): string[] {
  return globSync("types/**/*.d.ts", { cwd: folder }).flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/\b(?:from |import\()"([^."][^"]*)"/g)].map(
      ([, path = ""]) => path,
    ),
  );
}

/** @scope/name or name, whatever file of it is imported. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
