/** `npm run bench NAME`, or all of them without a name. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const known = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "results")
  .map((entry) => entry.name);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : known) {
  const { status } = spawnSync(process.execPath, [`${folder}${name}/main.ts`], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
