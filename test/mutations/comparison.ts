import { type Mutation, mutationsOf } from "./mutation.ts";

const COMPARISON = ["test/unit/reconcile/comparison.test.ts"];
const LOCAL = ["test/unit/local-comparison.test.ts"];
const ASK = ["test/unit/ask.test.ts"];

/** Which run a run is compared with, and what its steps get of it. */
export const COMPARISON_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("engine/comparison.ts", COMPARISON, [
    {
      why: "another compareWith is another comparison",
      find: "  if (compareWith !== known.compareWith) return false;\n",
      replace: "",
      tests: LOCAL,
    },
    {
      why: "a comparison stays what it is through edits",
      find: "  return again === undefined || again === known.rerun;",
      replace: "  return again === known.rerun;",
    },
    {
      why: "a rerun from a step on keeps the comparison",
      find: "  return rerun?.from === undefined ? rerun?.at : undefined;",
      replace: "  return rerun?.at;",
    },
  ]),
  ...mutationsOf("engine/run.ts", COMPARISON, [
    {
      why: "another compareWith is another run",
      find: "model, rerun, compareWith });",
      replace: "model, rerun });",
    },
  ]),
  ...mutationsOf(
    "engine/check.ts",
    ["test/unit/crd.test.ts"],
    [
      {
        why: "a gate compares nothing",
        find: '"maxItems", "previous", "hostAccess"] as const',
        replace: '"maxItems", "hostAccess"] as const',
      },
    ],
  ),
  ...mutationsOf("functions/reconcile/workload/comparison.ts", COMPARISON, [
    {
      why: "what a run began without stays so",
      find: "(hasBegun || known.results !== undefined)",
      replace: "known.results !== undefined",
    },
    {
      why: "a run that has not begun looks again for what to compare with",
      find: " && (hasBegun || known.results !== undefined)",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/argo/render.ts", COMPARISON, [
    {
      why: "a run's comparison is frozen",
      find: "        ...(run.comparison ? { [COMPARISON_ANNOTATION]: JSON.stringify(run.comparison) } : {}),\n",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/conditions.ts", COMPARISON, [
    {
      why: "that results were lost stays said",
      find: "progress?.lacksPrevious || wasLost",
      replace: "progress?.lacksPrevious",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/reconcile.ts", COMPARISON, [
    {
      why: "a run is compared with one that succeeded",
      find: '    ended.phase === "Succeeded" ? canonicalJson',
      replace: "    ended ? canonicalJson",
    },
  ]),
  ...mutationsOf(
    "lib/edges/artifacts.ts",
    [...COMPARISON, ...ASK],
    [
      {
        why: "a key that others wrote opens no other workload's bytes, and fails nothing",
        find: "  return isArtifactOf(workload, key) ? getIfKept(artifacts, workload, key) : undefined;",
        replace: "  return getIfKept(artifacts, workload, key);",
      },
    ],
  ),
  ...mutationsOf("lib/durable/previous-results.ts", COMPARISON, [
    { why: "a step that does not ask gets nothing", find: "!step.previous || ", replace: "" },
    {
      why: "what is no list of results is as good as none",
      find: "  if (text === undefined || !parsed.success) return undefined;\n",
      replace: "  if (!text || !parsed.data) throw new TypeError(key);\n",
    },
  ]),
  ...mutationsOf(
    "lib/step-events.ts",
    ["test/unit/agent-app.test.ts"],
    [
      {
        why: "a previous result is of the workload's own namespace",
        find: "  if (input.previous && input.previous.workload.namespace !== workload.namespace)\n",
        replace: "  if (false)\n",
      },
    ],
  ),
  ...mutationsOf("cli/local/comparison.ts", LOCAL, [
    {
      why: "a run that continues is compared as it began",
      find: "  if (beginning.isContinued) return kept;\n",
      replace: "",
    },
    {
      why: "what is no longer fresh is looked at anew",
      find: " && !isNewLook) return kept;",
      replace: ") return kept;",
    },
    {
      why: "a local run is compared with one of its own namespace",
      find: "  if (workload.namespace !== own.namespace)\n",
      replace: "  if (false)\n",
    },
    {
      why: "bytes that are being written are not copied",
      find: "    if (/^[0-9a-f]{64}\\.[a-z]+$/.test(name))\n",
      replace: "",
    },
  ]),
  ...mutationsOf("pipelines/market-analysis/ask.ts", ASK, [
    {
      why: "the answer to another question is none to this one",
      find: "  if (asked?.question !== hash) return undefined;\n",
      replace: "  if (!asked) return undefined;\n",
    },
    {
      why: "an earlier answer has the form that is asked for",
      find: "  return isSame && answer.success ? { answer: answer.data,",
      replace: "  return isSame && answer ? { answer: asked.answer as T,",
    },
    {
      why: "a page whose picture alone has changed is asked about again",
      find: "  return isSame && answer.success",
      replace: "  return answer.success",
    },
    {
      why: "a picture that changes a little with each run is compared with the one that the model saw",
      find: "const shown = known ? known.picture : full.image;",
      replace: "const shown = full.image;",
    },
  ]),
  ...mutationsOf(
    "pipelines/market-analysis/look-alike.ts",
    ["test/unit/look-alike.test.ts"],
    [
      {
        why: "a digit is a change of its picture",
        find: "differences.every((difference) => difference <= TOLERANCE * CELL * CELL)",
        replace: "differences.reduce((all, one) => all + one, 0) / differences.length <= TOLERANCE * CELL * CELL",
      },
      {
        why: "another colour is another picture",
        find: "differences[cell + channel] =",
        replace: "if (channel === 2) differences[cell + channel] =",
      },
      {
        why: "a picture of another size is another one",
        find: " || a.width !== b.width || a.height !== b.height",
        replace: "",
      },
      { why: "a picture has so many pixels", find: "{ limitInputPixels: MAX_PIXELS }", replace: "{}" },
    ],
  ),
];
