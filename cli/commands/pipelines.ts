import { loadShipped } from "../../pipelines/shipped.ts";
import { EXIT } from "../exit-code.ts";

/** `agentic pipelines`: the pipelines that ship. */
export async function pipelines(options: { readonly output: "text" | "json" }): Promise<number> {
  const shipped = await loadShipped();
  const rows = shipped.pipelines.map(({ metadata, spec }) => ({
    name: metadata.name,
    description: spec.description ?? "",
  }));
  if (options.output === "json") process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else {
    const width = Math.max(...rows.map(({ name }) => name.length));
    process.stdout.write(rows.map(({ name, description }) => `${name.padEnd(width)}  ${description}\n`).join(""));
  }
  return EXIT.succeeded;
}
