import { type Mutation, mutationsOf } from "./mutation.ts";

const SERVED = ["test/integration/artifacts-served.test.ts"];
const OUTPUTS = ["test/unit/kubectl/output-files.test.ts"];
const RERUN = ["test/unit/kubectl/rerun.test.ts"];

/** What leaves the cluster by `kubectl agentic`, and what it may do on its user's machine. */
export const PLUGIN_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("functions/artifacts/index.ts", SERVED, [
    {
      why: "only a workload's artifacts are handed out, and only by their whole key",
      find: "UID.test(uid) && isArtifactOf({ namespace, uid }, key)",
      replace: "isArtifactOf({ namespace, uid }, key)",
    },
    {
      why: "who asks for what is not there is recorded",
      find: "AUDIT.accessDenied.record(log, {",
      replace: "void ({",
    },
    {
      why: "what is handed out is no page of the API server's",
      find: '"application/octet-stream"',
      replace: '"text/html"',
    },
    {
      why: "what is handed out is not shown by a browser",
      find: '    c.header("content-disposition", "attachment");\n',
      replace: "",
    },
    { why: "what is handed out stays in no cache", find: '    c.header("cache-control", "no-store");\n', replace: "" },
  ]),
  ...mutationsOf("lib/edges/artifacts/kube-proxy.ts", SERVED, [
    {
      why: "an API server without the Service is not a store that lost the bytes",
      find: 'if (status === 404 && headers.has("agentic-reason")) return undefined;',
      replace: "if (status === 404) return undefined;",
    },
    {
      why: "a pod that is not ready for a moment is no error",
      find: "shouldRetry: ({ error }) => error instanceof RetryableError",
      replace: "shouldRetry: ({ error }) => error === undefined",
    },
    {
      why: "what will not pass is said at once",
      find: "throw status === 429 || status >= 500",
      replace: "throw status >= 400",
    },
  ]),
  ...mutationsOf("cli/kubectl/output-files.ts", OUTPUTS, [
    {
      why: "only artifacts of the workload are its outputs",
      find: "    .filter(([, key]) => isArtifactOf(metadata, key))\n",
      replace: "",
    },
    {
      why: "an output's name leads to no file elsewhere",
      find: 'one.name.replaceAll(/[^\\w-]+/g, "_")',
      replace: "one.name",
    },
    {
      why: "no output is saved over another",
      find: "    for (let copy = 2; taken.has(file.toLowerCase()); copy++) file = `${base}-${copy}.${one.type}`;\n",
      replace: "",
    },
  ]),
  ...mutationsOf(
    "cli/kubectl/log-lines.ts",
    ["test/unit/kubectl/log-lines.test.ts"],
    [
      {
        why: "lines of another workload are not shown",
        find: "return named === workload ? [{ ...line, pod, service }] : [];",
        replace: "return [{ ...line, pod, service }];",
      },
      {
        why: "a workload whose name begins alike is another",
        find: "named === workload",
        replace: "named.startsWith(workload)",
      },
      {
        why: "what a function wrote does not steer the terminal",
        find: 'return parts.map(printable).join("  ");',
        replace: 'return parts.join("  ");',
      },
    ],
  ),
  ...mutationsOf("cli/kubectl/rerun.ts", RERUN, [
    {
      why: "what still runs is not run again",
      find: "  if (!hasEnded(workload)) return",
      replace: "  if (false) return",
    },
  ]),
  ...mutationsOf("cli/kubectl/rerun.ts", RERUN, [
    {
      why: "a rerun at the time of the last one is another run",
      find: "[finishedAt, spec.rerun?.at]",
      replace: "[finishedAt]",
    },
    {
      why: "a clock that is behind reruns all the same",
      find: "[finishedAt, spec.rerun?.at]",
      replace: "[spec.rerun?.at]",
    },
  ]),
  ...mutationsOf("engine/status-text.ts", RERUN, [
    {
      why: "a run that an edit may start has not ended",
      find: "status?.finishedAt !== undefined && seen === metadata.generation",
      replace: "status?.finishedAt !== undefined",
    },
  ]),
  ...mutationsOf(
    "cli/printable.ts",
    ["test/unit/kubectl/review-text.test.ts"],
    [
      {
        why: "text of a page does not steer the terminal",
        find: 'text.replaceAll(/[\\p{Cc}\\p{Cf}\\u2028\\u2029]+/gu, " ").trim()',
        replace: "text",
      },
    ],
  ),
];
