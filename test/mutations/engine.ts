import { type Mutation, mutationsOf } from "./mutation.ts";

const RUN = ["test/unit/engine/run.test.ts"];
const WALK = ["test/unit/engine/walk.test.ts"];
const STOP_AND_RERUN = ["test/unit/reconcile/stop-and-rerun.test.ts"];
const TURN = ["test/unit/engine/turn.test.ts"];
const RESULT = ["test/unit/engine/result.test.ts"];
const CHANGES = ["test/unit/reconcile/changes.test.ts"];

/** A run as data: identity, order, tolerance, limits. */
export const ENGINE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("engine/changes.ts", CHANGES, [
    { why: "changes have a limit", find: "  if (changes.length >= MAX_CHANGES) return [];\n", replace: "" },
    {
      why: "changes are asked of steps before the gate",
      find: "!step.gate && before.has(step.name)",
      replace: "!step.gate",
    },
    { why: "changes say what is to be changed", find: "!comment?.trim() || ", replace: "" },
    {
      why: "a step gets the changes that are asked of it alone",
      find: "changes.filter(({ steps }) => steps.includes(step))",
      replace: "changes.filter(() => true)",
    },
    {
      why: "a gate that changes do not concern keeps its findings",
      find: "changes.filter(({ steps }) => steps.some((name) => before.has(name)))",
      replace: "[...changes]",
    },
  ]),
  ...mutationsOf("engine/run.ts", CHANGES, [
    {
      why: "with changes the spec has another run",
      find: "  if (changes.length === 0) return base;\n",
      replace: "  return base;\n",
    },
  ]),
  ...mutationsOf("engine/identity.ts", RUN, [
    {
      why: "a step's identity covers its workload",
      find: "{ uid, step, revision, input }))",
      replace: "{ step, revision, input }))",
    },
    {
      why: "a step's identity covers its name",
      find: "{ uid, step, revision, input }))",
      replace: "{ uid, revision, input }))",
    },
    {
      why: "a step's identity covers the agent's revision",
      find: "{ uid, step, revision, input }))",
      replace: "{ uid, step, input }))",
    },
    {
      why: "a step's identity covers its input",
      find: "{ uid, step, revision, input }))",
      replace: "{ uid, step, revision }))",
    },
    {
      why: "a run's hash covers its workload",
      find: "canonicalJson({ uid, spec })",
      replace: "canonicalJson({ spec })",
    },
  ]),
  ...mutationsOf(
    "engine/canonical.ts",
    ["test/unit/engine/canonical.test.ts"],
    [
      {
        why: "half a surrogate pair does not keep a result from being stored",
        find: "canonicalize(isWellFormed(value) ? value : JSON.parse(wellFormed(value)))",
        replace: "canonicalize(value)",
      },
      {
        why: "what has no JSON form is no empty text",
        find: "  if (text === undefined) throw new TypeError(`${typeof value} has no JSON form`);\n",
        replace: "",
      },
    ],
  ),
  ...mutationsOf(
    "engine/agent-output.ts",
    ["test/unit/engine/progress.test.ts"],
    [
      {
        why: "a result names its own workload's artifacts only",
        find: "  if (foreign) {",
        replace: "  if (foreign && false) {",
      },
      {
        why: "a result that names another's artifact still costs what it cost",
        find: 'return { ...failedResult("InvalidArtifactKey", message), usage: result.usage };',
        replace: 'return failedResult("InvalidArtifactKey", message);',
      },
      {
        why: "a step returns no more items than its pipeline allows",
        find: "  if (returned > maxItems) {",
        replace: "  if (false) {",
      },
      {
        why: "data is checked against the agent's output schema",
        find: "  if (problems.length === 0) return result;",
        replace: "  if (problems.length >= 0) return result;",
      },
      {
        why: "a result that fails its schema still costs what it cost",
        find: 'return { ...failedResult("InvalidOutput", message), usage: result.usage };',
        replace: 'return failedResult("InvalidOutput", message);',
      },
      {
        why: "a failed result needs no data",
        find: 'result.outcome !== "succeeded" || output === undefined',
        replace: "output === undefined",
      },
    ],
  ),
  ...mutationsOf("engine/result.ts", RESULT, [
    {
      why: "a result's data has a limit",
      find: "(data) => data === undefined || JSON.stringify(data).length <= MAX_DATA_LENGTH",
      replace: "() => true",
    },
    {
      why: "a returned list has a limit",
      find: "z.array(itemSchema).max(MAX_ITEMS, `expected at most ${MAX_ITEMS} items`)",
      replace: "z.array(itemSchema)",
    },
    {
      why: "an item has a limit",
      find: "(item) => JSON.stringify(item).length <= MAX_ITEM_LENGTH",
      replace: "() => true",
    },
    {
      why: "a message has a limit",
      find: "message: z.string().max(1024).optional()",
      replace: "message: z.string().optional()",
    },
    {
      why: "an output line has a limit",
      find: "output: z.string().max(256).optional()",
      replace: "output: z.string().optional()",
    },
    {
      why: "a result that reconcile makes keeps the limit of a message",
      find: "message: message.slice(0, 1024)",
      replace: "message",
    },
    {
      why: "no step earns money",
      find: "costUsd: z.number().min(0),\n  browserSeconds",
      replace: "costUsd: z.number(),\n  browserSeconds",
    },
  ]),
  ...mutationsOf("engine/run.ts", RUN, [
    {
      why: "another model makes another run",
      find: "runHash(uid, { pipeline, inputs, image, resources, model, rerun, compareWith })",
      replace: "runHash(uid, { pipeline, inputs, image, resources, rerun, compareWith })",
    },
    {
      why: "other inputs make another run",
      find: "runHash(uid, { pipeline, inputs, image, resources, model, rerun, compareWith })",
      replace: "runHash(uid, { pipeline, image, resources, model, rerun, compareWith })",
    },
    {
      why: "keeping a failed run longer does not try it again",
      find: "{ suspend: _held, ttlAfterFinished: _kept, ...spec }",
      replace: "{ suspend: _held, ...spec }",
      tests: ["test/unit/reconcile/lifecycle.test.ts"],
    },
    {
      why: "a step only narrows the workload's retries",
      find: "Math.min(run.retryLimit, step.retry?.limit ?? run.retryLimit)",
      replace: "step.retry?.limit ?? run.retryLimit",
    },
    {
      why: "a step's own timeout holds",
      find: "  if (step.timeout) return parseDuration(step.timeout);\n",
      replace: "",
    },
    {
      why: "an item's deadline is the workload's, and not the run's",
      find: "step.forEach === undefined ? run.runDeadlineMs : run.itemDeadlineMs",
      replace: "run.runDeadlineMs",
    },
    {
      why: "a run waits as long as its gates",
      find: "DAY_MS + waiting",
      replace: "DAY_MS",
    },
    {
      why: "a gate's own onTimeout comes before the workload's",
      find: "step.gate?.onTimeout ?? run.review.onTimeout",
      replace: "run.review.onTimeout",
    },
  ]),
  ...mutationsOf("engine/tolerance.ts", RUN, [
    {
      why: "a tolerated percentage is rounded down",
      find: "Math.floor((Number(percentage) / 100) * total)",
      replace: "Math.ceil((Number(percentage) / 100) * total)",
    },
  ]),
  ...mutationsOf("engine/freeze.ts", RUN, [
    { why: "a frozen pipeline fits into an annotation", find: "if (bytes > MAX_FROZEN_BYTES)", replace: "if (false)" },
    {
      why: "a frozen pipeline is measured in bytes",
      find: "Buffer.byteLength(JSON.stringify(frozen))",
      replace: "JSON.stringify(frozen).length",
    },
    {
      why: "an object's own namespace comes before the shared one",
      find: "[own, { namespace: SHARED_NAMESPACE, name }]",
      replace: "[{ namespace: SHARED_NAMESPACE, name }, own]",
    },
  ]),
  ...mutationsOf(
    "engine/condition.ts",
    ["test/unit/engine/condition.test.ts"],
    [
      {
        why: "a condition that is no yes or no is refused",
        find: 'if (checked.type !== "bool" && checked.type !== "dyn")',
        replace: "if (false)",
      },
      {
        why: "a condition that turns out to be no yes or no cannot be evaluated",
        find: 'if (typeof answer !== "boolean")',
        replace: "if (false)",
      },
      {
        why: "which steps a condition reads is known before the run",
        find: 'if (op === "id" && args === variable && variable === "steps")',
        replace: "if (false)",
      },
    ],
  ),
  ...mutationsOf(
    "engine/json-schema.ts",
    ["test/unit/engine/json-schema.test.ts"],
    [
      {
        why: "no schema makes its validator say yes to everything",
        find: '  if (schema["$async"] !== undefined) throw new Error("$async is not part of JSON Schema");\n',
        replace: "",
      },
      {
        why: "a schema that allows no value is refused",
        find: "  return unsatisfiable(schema);\n",
        replace: "  return undefined;\n",
      },
      {
        why: "a schema's own $id does not make it known for the life of the process",
        find: "        addUsedSchema: false,\n",
        replace: "",
        equivalent: "compile() removes each schema by itself; this only says so twice",
      },
    ],
  ),
  ...mutationsOf(
    "engine/check.ts",
    ["test/unit/crd.test.ts", ...RUN],
    [
      {
        why: "all lists of a workload together have a limit",
        find: "if (total > MAX_ITEMS && first !== undefined)",
        replace: "if (false)",
      },
      { why: "a pipeline has no cycle", find: "    ...cycleProblems(spec.steps),\n", replace: "" },
      { why: "two steps have two names", find: "    ...sameNameProblems(spec.steps),\n", replace: "" },
      {
        why: "a gate runs over no list",
        find: '    if (step.gate) say(at("forEach"), "cannot be combined with gate: a gate is decided once");\n',
        replace: "",
      },
      {
        why: "a list comes from a step that ends before",
        find: '    else if (!ancestors.has(ref.step)) say(at("forEach"), notBefore(ref.step));\n',
        replace: "",
      },
      {
        why: "a gate shows steps that end before it",
        find: '    else if (!ancestors.has(name)) say(at("gate", "show", position), notBefore(name));\n',
        replace: "",
      },
      {
        why: "a condition reads steps that end before",
        find: "        .filter((name) => !ancestors.has(name))\n",
        replace: "        .filter(() => false)\n",
      },
      { why: "the output is a step", find: "    ...outputProblems(spec, names),\n", replace: "" },
      { why: "the schema of the inputs is usable", find: "    ...(await inputSchemaProblems(spec)),\n", replace: "" },
      {
        why: "no required step runs over the items of an optional one",
        find: "if (before?.optional && !step.optional && step.forEach !== undefined && before.forEach === step.forEach)",
        replace: "if (false)",
      },
      {
        why: "a step is an agent's or a gate",
        find: "if ((step.agent === undefined) === (step.gate === undefined))",
        replace: "if (false)",
      },
    ],
  ),
  ...mutationsOf("engine/walk.ts", STOP_AND_RERUN, [
    { why: "a stopped run ends", find: "  if (open && run.stopped) failure ??= STOPPED;\n", replace: "" },
    {
      why: "a run that has ended is not stopped",
      find: "if (open && run.stopped)",
      replace: "if (run.stopped)",
      tests: WALK,
    },
  ]),
  ...mutationsOf("engine/run.ts", STOP_AND_RERUN, [
    { why: "a rerun is another run", find: "model, rerun, compareWith });", replace: "model, compareWith });" },
    {
      why: "what comes before the step of a rerun is used again",
      find: "  return isRedone ? new Date(at) : undefined;",
      replace: "  return new Date(at);",
    },
  ]),
  ...mutationsOf("engine/workload-check.ts", STOP_AND_RERUN, [
    {
      why: "a rerun names a step that is there",
      find: "if (from !== undefined && !names.includes(from))",
      replace: "if (false)",
    },
  ]),
  ...mutationsOf(
    "cli/local/step-records.ts",
    ["test/unit/step-records.test.ts"],
    [
      {
        why: "on one machine, too, what a rerun asks for anew is done anew",
        find: "if (isAskedAnew || !stands",
        replace: "if (!stands",
      },
    ],
  ),
  ...mutationsOf("engine/walk.ts", WALK, [
    {
      why: "an optional step that runs once fails no run",
      find: "step.gate || step.optional || outcome",
      replace: "step.gate || outcome",
    },
    {
      why: "an optional step that failed lets what follows start",
      find: "steps.some(({ name, optional }) => !optional && outcomeOf",
      replace: "steps.some(({ name }) => outcomeOf",
    },
    {
      why: "an optional step's failures are not counted",
      find: "stage.steps.filter(({ optional }) => !optional);",
      replace: "stage.steps;",
    },
    {
      why: "a list of a required step is never cut",
      find: "(step) => step.forEach !== forEach || step.optional",
      replace: "() => true",
    },
    {
      why: "a list of optional steps is cut to what fits",
      find: ".slice(0, Math.max(0, room))",
      replace: "",
    },
    {
      why: "a list is cut by the lists before it",
      find: '"input" in other || before.has(other.step)',
      replace: '"input" in other',
    },
    {
      why: "a spent budget fails the run",
      find: "budgetFailure(run, outcomes) ?? itemsFailure(stages)",
      replace: "itemsFailure(stages)",
    },
    {
      why: "a run has a limit of items",
      find: "budgetFailure(run, outcomes) ?? itemsFailure(stages)",
      replace: "budgetFailure(run, outcomes)",
    },
    { why: "nothing starts once the run fails", find: "ready: failure ? [] : ready", replace: "ready" },
    {
      why: "what comes after a failed single step is blocked",
      find: '  if (previous.some((view) => view.state === "blocked" || blocksNext(view.stage, outcomes)))',
      replace: '  if (previous.some((view) => view.state === "blocked"))',
    },
    {
      why: "what comes after a blocked stage is blocked",
      find: '  if (previous.some((view) => view.state === "blocked" || blocksNext(view.stage, outcomes)))',
      replace: "  if (previous.some((view) => blocksNext(view.stage, outcomes)))",
    },
    {
      why: "a stage waits for the stages before it",
      find: 'if (!ended) return { stage, state: "waiting", ...known };',
      replace: "",
    },
    {
      why: "an item that failed goes no further in its chain",
      find: "      if (!held) ready.push(",
      replace: "      ready.push(",
    },
    {
      why: "tolerance is judged when the whole fan-out has ended",
      find: '  if (state !== "over" || !items) return undefined;\n',
      replace: "  if (!items) return undefined;\n",
    },
    {
      why: "a step's own tolerance is judged beside the workload's",
      find: "    if (problem) return problem;\n",
      replace: "",
    },
    {
      why: "as many failures as tolerated are no failure of the run",
      find: "if (failed <= limit) return undefined;",
      replace: "if (failed < limit) return undefined;",
    },
    {
      why: "an item that failed in two branches counts once",
      find: "    failed++;\n",
      replace:
        '    failed += steps.filter(({ name }) => outcomeOf(outcomes, name, index)?.outcome === "failed").length;\n',
    },
    {
      why: "a list that two stages run over counts once",
      find: "stage.forEach === undefined || !items ? [] : [[stage.forEach, items.length] as const]",
      replace: "stage.forEach === undefined || !items ? [] : [[stage.name, items.length] as const]",
    },
    {
      why: "a rejection is no failure",
      find: "      return outcome.reason === REJECTED\n",
      replace: "      return false\n",
    },
    {
      why: "an item that failed in an earlier fan-out over its list is not run",
      find: "  if (unmet !== undefined) return {",
      replace: "  if (false) return {",
      tests: TURN,
    },
    {
      why: "a condition that cannot be evaluated fails its step only",
      find: "      if (!(error instanceof ConditionError)) throw error;\n",
      replace: "      throw error;\n",
      tests: TURN,
    },
    {
      why: "a step gets the inputs that it names, and no others",
      find: "      step.with.flatMap((name) => {",
      replace: '      ["model", ...Object.keys(run.inputs)].flatMap((name) => {',
      tests: TURN,
    },
    {
      why: "a step in a chain gets its own item's results",
      find: "if (before.forEach === step.forEach && index !== undefined) {",
      replace: "if (false) {",
      tests: TURN,
    },
  ]),
  ...mutationsOf(
    "engine/findings.ts",
    ["test/unit/engine/findings.test.ts"],
    [
      {
        why: "findings say why an item never got to the shown step",
        find: '.filter(({ outcome: end }) => end === "failed")',
        replace: ".filter(() => false)",
      },
      {
        why: "one failure of an item is named once",
        find: "    .slice(0, 1);",
        replace: ";",
      },
      {
        why: "findings name the gate that they are for",
        find: "    gate: gate.name,\n    inputs",
        replace: '    gate: "",\n    inputs',
      },
    ],
  ),
  ...mutationsOf(
    "crd/admission.ts",
    ["test/unit/crd.test.ts", "test/unit/engine/run.test.ts"],
    [
      {
        why: "no item points into a private network",
        find: "...(isPrivateHost(host) && !allowPrivateHosts.has(host)",
        replace: "...(false",
      },
      { why: "no item carries a password", find: "url.username || url.password", replace: "false" },
      {
        why: "no item is listed twice",
        find: "if (same === undefined) first.set(normalized, index);",
        replace: "if (true) first.set(normalized, index);",
      },
    ],
  ),
];
