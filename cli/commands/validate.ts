import { readFile } from "node:fs/promises";
import { formatProblems, parseWorkload } from "../../crd/parse.ts";
import { EXIT } from "../exit-code.ts";

export async function validate(file: string, options: { readonly output: "text" | "json" }): Promise<number> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    process.stderr.write(`agentic: cannot read ${file}: ${error instanceof Error ? error.message : error}\n`);
    return EXIT.invalid;
  }
  const parsed = parseWorkload(text);
  const problems = "errors" in parsed ? parsed.errors : [];
  if (options.output === "json")
    process.stdout.write(`${JSON.stringify({ valid: problems.length === 0, problems }, null, 2)}\n`);
  else if (problems.length > 0) process.stderr.write(`${formatProblems(problems, file)}\n`);
  else process.stdout.write(`${file}: valid\n`);
  return problems.length === 0 ? EXIT.succeeded : EXIT.invalid;
}
