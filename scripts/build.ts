/**
 * `npm run build [FOLDER]` bundles the functions into dist/, or FOLDER: `FUNCTION=scrape node dist/main.js`. Each function is a chunk of
 * its own, so that one loads only what it needs; a cold start is mostly the time to read and compile modules. page-process.js is a program
 * of its own, which analyze starts.
 */
import { rmSync } from "node:fs";
import { build } from "esbuild";

const folder = process.argv[2] ?? "dist";
rmSync(folder, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { main: "main.ts", "page-process": "functions/analyze/page-process.ts" },
  outdir: folder,
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node24",
  format: "esm",
  // Without keepNames: it wraps functions in a helper that a page, into which Playwright puts some of them, does not have.
  minify: true,
  sourcemap: false,
  metafile: true,
  // Native or self-locating packages stay outside and are installed beside the bundle.
  external: ["sharp", "playwright-core"],
  // CommonJS dependencies call require() for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`${folder}: ${Object.keys(metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB`);
