/** `make verify`: random pipelines on the cluster of KUBECONFIG, or the test cluster, while its parts are killed and wiped. */
import { parseArgs } from "node:util";
import { setup, teardown } from "../namespaces.ts";
import { verify } from "./verify.ts";

const USAGE = `usage: make verify [SEED=N] [MINUTES=N]

Runs random pipelines on the test cluster, or that of KUBECONFIG, with the product on it (make cluster deploy), while parts of it are killed and
wiped at random, and compares each run with the same pipeline in memory. The same seed draws the same pipelines and faults.

  SEED      what is drawn (default: by the clock, printed)
  MINUTES   how long runs and faults go on (default: 10)

Ends with 1 when a run ended otherwise, did a step again that had ended, or got stuck; and when too few runs succeeded, or a fault never
struck in ten minutes or more: both prove nothing.`;

const { values } = parseArgs({
  options: { seed: { type: "string" }, minutes: { type: "string" }, help: { type: "boolean" } },
});
const seed = Number(values.seed || Date.now() % 1_000_000);
const minutes = Number(values.minutes || 10);
if (values.help || !Number.isInteger(seed) || !(minutes > 0)) {
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

const begun = Date.now();
const say = (line: string): void => console.log(`${Math.round((Date.now() - begun) / 1000)} s: ${line}`);
say(`seed ${seed}, ${minutes} min`);
await setup();
const { findings, ...counts } = await verify({ seed, ms: minutes * 60_000, say });
await teardown();
console.log(JSON.stringify(counts));
for (const finding of findings) console.error(`verify: ${finding}`);
const tooFew = counts.succeeded < minutes;
if (tooFew) console.error(`verify: only ${counts.succeeded} runs succeeded in ${minutes} minutes`);
const never = minutes < 10 ? [] : Object.keys(counts.faults).filter((name) => counts.faults[name] === 0);
if (never.length > 0) console.error(`verify: never struck: ${never.join(", ")}`);
const failed = findings.length > 0 || tooFew || never.length > 0;
console.log(failed ? `failed; again by: make verify SEED=${seed} MINUTES=${minutes}` : "all of it holds");
process.exit(failed ? 1 : 0);
