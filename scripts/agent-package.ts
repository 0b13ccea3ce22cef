/** `npm run agent-package [FOLDER]`: the package that agents install, in dist/ or FOLDER: JavaScript and its types. */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packNpm, root } from "./npm-package.ts";

export const packAgent = (destination: string): Promise<string> =>
  packNpm(
    {
      name: "agentic-kubernetes",
      entries: ["agent/index.ts", "agent/step-event.ts"],
      manifest: {
        exports: { "./agent": { types: "./types/agent/index.d.ts", default: "./index.js" } },
        bin: { "step-event": "step-event.js" },
      },
      fill(folder) {
        execFileSync("tsc", ["-p", "agent", "--outDir", join(folder, "types")], { cwd: root, stdio: "inherit" });
        cpSync(join(root, "agent/README.md"), join(folder, "README.md"));
        return typeImports(folder);
      },
    },
    destination,
  );

/** What the declarations import of other packages. */
function typeImports(folder: string): string[] {
  return globSync("types/**/*.d.ts", { cwd: folder }).flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/\b(?:from |import\()"([^."][^"]*)"/g)].map(
      ([, path = ""]) => path,
    ),
  );
}

if (import.meta.main) console.log(await packAgent(process.argv[2] ?? join(root, "dist")));
