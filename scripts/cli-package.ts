/** `npm run cli-package [FOLDER]`: the package of `agentic` and `kubectl agentic`, in dist/ or FOLDER. */
import { cpSync, globSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { packNpm, root } from "./npm-package.ts";

export const packCli = (destination: string): Promise<string> =>
  packNpm(
    {
      name: "agentic-kubernetes-cli",
      // What reads a page is a program of its own, which analyze starts.
      entries: [
        "cli/agentic.ts",
        "cli/kubectl-agentic.ts",
        "cli/kubectl_complete-agentic.ts",
        "functions/analyze/page-process.ts",
      ],
      manifest: {
        bin: {
          agentic: "agentic.js",
          "kubectl-agentic": "kubectl-agentic.js",
          "kubectl_complete-agentic": "kubectl_complete-agentic.js",
        },
      },
      fill(folder) {
        // Where pipelines/shipped.ts looks: beside the code.
        for (const file of globSync("*/*.yaml", { cwd: join(root, "pipelines") })) {
          mkdirSync(join(folder, dirname(file)), { recursive: true });
          cpSync(join(root, "pipelines", file), join(folder, file));
        }
        cpSync(join(root, "scripts/cli-package.md"), join(folder, "README.md"));
        return [];
      },
    },
    destination,
  );

if (import.meta.main) console.log(await packCli(process.argv[2] ?? join(root, "dist")));
