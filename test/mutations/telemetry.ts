import { type Mutation, mutationsOf } from "./mutation.ts";

const STEP_TRACE = ["test/integration/step-trace.test.ts"];
const RUN_TRACE = ["test/unit/reconcile/trace.test.ts"];
const MAIN = ["test/integration/main.test.ts"];
const AUDIT = ["test/unit/audit.test.ts"];
const AUDIT_SENT = ["test/integration/audit.test.ts"];
const RECONCILE_AUDIT = ["test/unit/reconcile/audit.test.ts"];
const EXPORT = ["test/integration/telemetry-export.test.ts"];
const LANGFUSE = ["test/integration/langfuse.test.ts"];

const DASHBOARDS = ["test/integration/dashboards.test.ts"];

const EVIDENCE = ["test/unit/evidence.test.ts"];

/** What is told of a run, and what a receiver in trouble may cost. */
export const TELEMETRY_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/telemetry/receiver.ts", EXPORT, [
    {
      why: "a receiver in trouble keeps no answer waiting",
      find: "  if (!exports.isHealthy()) return;\n",
      replace: "",
    },
    {
      why: "a receiver that hangs keeps an answer waiting for a moment only",
      find: "endsWithin(FLUSH_MS, sent)",
      replace: "sent",
    },
    { why: "a slow receiver is a receiver in trouble", find: "exports.suspect()", replace: "void 0" },
  ]),
  ...mutationsOf(
    "lib/telemetry/span-queue.ts",
    ["test/unit/span-queue.test.ts", "test/integration/telemetry-export.test.ts"],
    [
      {
        why: "what the SDK drops is counted",
        find: "if (queued >= size) exports.lose(",
        replace: "if (queued > 2 * size) exports.lose(",
      },
      {
        why: "no span of a run of many steps is lost, which ends them all at once",
        find: "env[VARIABLE] ??= String(QUEUE_SPANS);",
        replace: 'env[VARIABLE] ??= "2048";',
      },
    ],
  ),
  ...mutationsOf(
    "lib/telemetry/store-call.ts",
    ["test/unit/store-call.test.ts"],
    [
      {
        why: "a run's trace is not hidden by thousands of quick reads",
        find: "if (Date.now() - startTime >= SLOW_MS) note().end();",
        replace: "if (Date.now() - startTime >= 0) note().end();",
      },
    ],
  ),
  ...mutationsOf("lib/telemetry/langfuse.ts", LANGFUSE, [
    {
      why: "no files are uploaded to Langfuse",
      find: "mediaUploadEnabled: false",
      replace: "mediaUploadEnabled: true",
    },
    { why: "Langfuse gets all spans of a trace", find: "    shouldExportSpan: () => true,\n", replace: "" },
    { why: "Langfuse takes spans as they come", find: '    "x-langfuse-ingestion-version": "4",\n', replace: "" },
    {
      why: "Langfuse in trouble is known to be",
      find: "exporter: queue.exporter",
      replace: "exporter: exporterTo(keys)",
    },
  ]),
  ...mutationsOf("lib/telemetry/langfuse-span.ts", LANGFUSE, [
    { why: "a run has one root at Langfuse", find: "    [LANGFUSE.IS_APP_ROOT]: isRoot,\n", replace: "" },
    { why: "what an agent says of its own spans stands", find: "    ...rest,\n", replace: "" },
    { why: "no token counts twice", find: "Math.max(0, input - cached - written)", replace: "input" },
    {
      why: "what a call without an answer costs is not known",
      find: "...(cost === undefined\n",
      replace: "...(cost === null\n",
    },
  ]),
  ...mutationsOf("lib/telemetry/langfuse-scores.ts", LANGFUSE, [
    {
      why: "a decision that nobody was asked for is no judgement",
      find: "if (automatic !== false)",
      replace: "if (automatic === undefined)",
    },
    {
      why: "a run that is told again has no second score",
      find: "id: `${traceId}-${spanId}`",
      replace: "id: crypto.randomUUID()",
    },
    {
      why: "a score is sent before the process goes to sleep",
      find: "    forceFlush: settled,\n",
      replace: "    forceFlush: async () => undefined,\n",
    },
  ]),
  ...mutationsOf("lib/telemetry/langfuse-keys.ts", LANGFUSE, [
    {
      why: "nothing is sent to Langfuse's makers unless somebody names them",
      find: "if (publicKey && secretKey && baseUrl)",
      replace: 'if (publicKey && secretKey && (baseUrl ?? "https://example.com"))',
    },
  ]),
  ...mutationsOf("lib/model/content.ts", LANGFUSE, [
    { why: "no key leaves with a span", find: "maskSecrets(part.text.slice(0, 2 * MAX_TEXT))", replace: "part.text" },
    {
      why: "no address or number of a person leaves with a span",
      find: "maskPersonalData(maskSecrets(part.text.slice(0, 2 * MAX_TEXT)))",
      replace: "maskSecrets(part.text)",
    },
    { why: "a span is bounded", find: ".slice(0, MAX_TEXT);", replace: ";" },
    { why: "no picture leaves with a span", find: 'return "[picture]"', replace: "return part.image_url.url" },
  ]),
  ...mutationsOf("lib/model/model.ts", LANGFUSE, [
    {
      why: "answers leave with spans only where the setting asks for it",
      find: "if (context.capturesContent) await noteOutput",
      replace: "await noteOutput",
    },
  ]),
  ...mutationsOf("lib/model/provider.ts", LANGFUSE, [
    {
      why: "questions leave with spans only where the setting asks for it",
      find: "if (options.capturesContent) await noteInput",
      replace: "await noteInput",
    },
  ]),
  ...mutationsOf("lib/config.ts", MAIN, [
    {
      why: "what is said to models stays here by default",
      find: '.default("false")\n    .transform((value) => ["true"',
      replace: '.default("true")\n    .transform((value) => ["true"',
    },
  ]),
  ...mutationsOf("lib/telemetry/export-health.ts", EXPORT, [
    {
      why: "a receiver that is away fills no log",
      find: "    if (now() - saidAt < SAID_EVERY_MS) return;\n",
      replace: "",
    },
    {
      why: "a receiver that is back is waited for again",
      find: "healthy = code === ExportResultCode.SUCCESS;",
      replace: "healthy &&= code === ExportResultCode.SUCCESS;",
    },
  ]),
  ...mutationsOf(
    "lib/telemetry/metrics.ts",
    ["test/unit/metrics.test.ts"],
    [
      {
        why: "what was found long ago counts no more",
        find: "performance.now() < until ? value : 0",
        replace: "value",
      },
    ],
  ),
  ...mutationsOf(
    "functions/reconcile/census.ts",
    ["test/unit/reconcile/census.test.ts"],
    [
      { why: "a gate that was decided waits no more", find: "if (decision === undefined) ", replace: "" },
      {
        why: "a run that ended has no gate that waits",
        find: "      if (ENDED.includes(phase)) return;\n",
        replace: "",
      },
    ],
  ),
  ...mutationsOf("lib/telemetry/attempt-span.ts", STEP_TRACE, [
    {
      why: "a start that ended is under way no more",
      find: "METRIC.running.record(-1,",
      replace: "METRIC.running.record(0,",
    },
  ]),
  ...mutationsOf("lib/telemetry/sdk.ts", DASHBOARDS, [
    {
      why: "a container that starts again counts on, and not from 0",
      find: "randomUUID().slice(0, 8)",
      replace: "process.pid",
    },
  ]),
  ...mutationsOf("lib/serve.ts", MAIN, [
    {
      why: "what a process has not sent is sent before it ends",
      find: "  await telemetry.shutdown();\n",
      replace: "",
    },
    {
      why: "what a function did is sent before it answers",
      find: "    await telemetry.flush();\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/durable/run.ts", STEP_TRACE, [
    {
      why: "a step that had ended says that nothing was done",
      find: "wasEnded ? await inRecorded(step.context, read) : await read()",
      replace: "await read()",
    },
  ]),
  ...mutationsOf("lib/durable/step-scripts.ts", STEP_TRACE, [
    { why: "a start knows the one before it", find: "ARGV[1], 'last', ARGV[1])", replace: "ARGV[1])" },
  ]),
  ...mutationsOf("engine/evidence.ts", EVIDENCE, [
    {
      why: "each entry of evidence is what its hash says",
      find: "  if (broken >= 0) return",
      replace: "  if (broken > 1000) return",
    },
    {
      why: "evidence covers the entries before",
      find: "before = sha256(`${before}${canonicalJson(entry)}`);",
      replace: "before = sha256(canonicalJson(entry));",
    },
    {
      why: "the outputs of evidence are what the run's last step left",
      find: "if (!namings.includes(canonicalJson(subject)))",
      replace: "if (subject.length > 1000)",
    },
    { why: "the cost of evidence is the sum of its steps'", find: "> 1e-9)", replace: "> 1e9)" },
  ]),
  ...mutationsOf("lib/signed-file.ts", EVIDENCE, [
    {
      why: "another signed thing is no evidence",
      find: "if (protectedHeader?.typ !== type)",
      replace: "if (protectedHeader === undefined)",
    },
  ]),
  ...mutationsOf("lib/agent-app.ts", MAIN, [
    {
      why: "what an agent does is below the step that asked for it",
      find: "underTrace(traceparent, runAttributes",
      replace: "underTrace(undefined, runAttributes",
    },
  ]),
  ...mutationsOf("lib/telemetry/audit.ts", AUDIT, [
    { why: "LOG_LEVEL leaves no audit record out", find: 'log.child({}, { level: "info" })', replace: "log" },
    { why: "a command without a log writes none", find: 'log.level === "silent" ? log : ', replace: "" },
    { why: "an audit record is bounded", find: "text.slice(0, MAX_TEXT)", replace: "text" },
    { why: "an audit record's lists are bounded", find: "value.slice(0, MAX_LIST)", replace: "value" },
    {
      why: "no password of a spec is in an audit record",
      find: "name === MESSAGE ? maskSecrets(value.slice(0, MAX_READ)) : value",
      replace: "value",
    },
  ]),
  ...mutationsOf(
    "lib/telemetry/log-lines.ts",
    ["test/unit/log-record.test.ts"],
    [
      { why: "an audit record is sent once", find: 'line["audit"] === true || ', replace: "" },
      {
        why: "what is said of a receiver is not said to it, which would have no end",
        find: ' || line["receiver"] !== undefined',
        replace: "",
      },
    ],
  ),
  ...mutationsOf("lib/telemetry/sdk.ts", AUDIT_SENT, [
    {
      why: "an audit record is sent before a function answers",
      find: "await Promise.all(all.map(flushTo));",
      replace: "await Promise.all(receivers.map(flushTo));",
    },
    {
      why: "trouble with a receiver of lines is not one of its lines",
      find: "otlp.lines ? logReceiver?.(resource, own)",
      replace: "otlp.lines ? logReceiver?.(resource, log)",
    },
  ]),
  ...mutationsOf("lib/telemetry/start.ts", AUDIT_SENT, [
    { why: "a receiver that takes no logs gets none", find: 'logs !== "none" && ', replace: "" },
    { why: "log lines leave a cluster only where that is asked for", find: ' && logs === "otlp"', replace: "" },
  ]),
  ...mutationsOf("lib/key-changes.ts", AUDIT_SENT, [
    { why: "keys that are the same are not said again", find: "    if (before === now) continue;\n", replace: "" },
  ]),
  ...mutationsOf("functions/reconcile/workload/audit.ts", RECONCILE_AUDIT, [
    {
      why: "a decision is counted once",
      find: ".filter((review) => !known.has(keyOf(review)))",
      replace: ".filter((review) => known !== undefined || keyOf(review))",
    },
    {
      why: "a tampered gate is said once",
      find: " && !tamperedIn((before ?? {}) as WorkloadStatus)",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/reconcile.ts", RECONCILE_AUDIT, [
    {
      why: "a decision that another came before is not said to count",
      find: 'if (written === "written") auditStatus',
      replace: "auditStatus",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/reconcile.ts", RUN_TRACE, [
    { why: "the trace of a run that ended is told", find: "  deps.recordRun(ended);\n", replace: "" },
  ]),
  ...mutationsOf("functions/reconcile/workload/ended-run.ts", RUN_TRACE, [
    {
      why: "the trace of a run is told once",
      find: " || end === before) return undefined;",
      replace: ") return undefined;",
    },
  ]),
];
