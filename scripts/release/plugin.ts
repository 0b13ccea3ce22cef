import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { archive } from "./archive.ts";

/** `kubectl agentic` as one program without dependencies but Node, in a tarball as krew wants it. */
export async function packPlugin(root: string, file: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-agentic-"));
  try {
    const programs = ["kubectl-agentic", "kubectl_complete-agentic"];
    await build({
      absWorkingDir: root,
      entryPoints: programs.map((name) => ({ in: `cli/${name}.ts`, out: name })),
      outdir: folder,
      // Without an extension Node reads a program as ESM by its syntax.
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      target: "node24",
      format: "esm",
      minify: true,
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
      logLevel: "warning",
    });
    for (const name of programs) {
      cpSync(join(folder, `${name}.mjs`), join(folder, name));
      chmodSync(join(folder, name), 0o755);
    }
    cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
    archive(file, folder, [...programs, "LICENSE"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
