import { type Mutation, mutationsOf } from "./mutation.ts";

const CHANGES = ["test/unit/reconcile/changes.test.ts"];
const unit = (...names: string[]): string[] => names.map((name) => `test/unit/reconcile/${name}.test.ts`);
const LIFECYCLE = unit("lifecycle");
const PLAN = unit("plan", "lifecycle");
const STATUS = unit("status", "lifecycle", "earlier-runs");
const GATE = unit("gate", "lifecycle");
const AGENT = unit("agent");
const APP = unit("app");

/** What reconcile writes, on what, and what it believes. */
export const RECONCILE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("functions/reconcile/index.ts", APP, [
    {
      why: "a dead letter's token is that of its step",
      find: "if (claims.jti === identity) return identity;",
      replace: "if (claims) return identity;",
    },
    {
      why: "a dead letter is believed also after its token's end",
      find: "await deps.verifyExpiredToken(request.token)",
      replace: "await deps.verifyToken(request.token)",
    },
    {
      why: "an event has a limit of bytes",
      find: "bodyLimit({ maxSize: MAX_EVENT_BYTES, onError: tooLarge }), ",
      replace: "",
    },
    { why: "reconcile that drains is not ready", find: "deps.draining.aborted ? 503 : 200", replace: "200" },
    {
      why: "workloads that wait are looked at when an agent changes",
      find: "if (changed) await enqueueWaiting(deps.kube, enqueueWorkload);",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/completed.ts", APP, [
    { why: "a result's token is that of its request", find: "if (jti !== claim.request)", replace: "if (false)" },
    {
      why: "a result is believed when its token is valid",
      find: "const { sub, jti } = await deps.verifyToken(claim.token);",
      replace:
        'const { sub, jti } = JSON.parse(Buffer.from(claim.token.split(".")[1] ?? "", "base64url").toString()) as { sub: string; jti: string };',
    },
    {
      why: "an answer that is no result ends its step",
      find: "    if (!(error instanceof TerminalError)) throw error;\n",
      replace: "    throw error;\n",
    },
  ]),
  ...mutationsOf("functions/reconcile/exclusively-or-deleted.ts", LIFECYCLE, [
    {
      why: "without Redis only a deletion goes on",
      find: "if (object?.metadata.deletionTimestamp === undefined) throw error;",
      replace: "",
      tests: [...LIFECYCLE, ...AGENT],
    },
    {
      why: "a deletion waits where another process is at work",
      find: "if (!isStoreTrouble(error)) throw error;",
      replace: "",
    },
    {
      why: "a deletion needs no Redis",
      find: "if (!isStoreTrouble(error)) throw error;",
      replace: "throw error;",
    },
  ]),
  ...mutationsOf("functions/reconcile/resync.ts", APP, [
    { why: "an edit of a workload that ended is looked at", find: " || seen !== metadata.generation)", replace: ")" },
    {
      why: "a deletion is never over",
      find: "  if (metadata.deletionTimestamp !== undefined) return false;\n",
      replace: "",
    },
    {
      why: "a failed run is looked at, for its Workflow may be deleted",
      find: '(phase !== "Succeeded" && phase !== "Rejected")',
      replace: '(phase !== "Succeeded" && phase !== "Rejected" && phase !== "Failed")',
    },
    {
      why: "a workload whose time is over is looked at until it has expired",
      find: "now.getTime() < keptUntil || ",
      replace: "true || ",
    },
    {
      why: "an Agent whose look takes its time keeps no workload from its own",
      find: "    lookAtWorkloads(),\n",
      replace: "    enqueueEach(kube.agents.listAll(), () => true, enqueue.agent).then(lookAtWorkloads),\n",
      tests: unit("quota"),
    },
    { why: "what has ended costs a resync nothing", find: "return !isOver(object, now);", replace: "return true;" },
    {
      why: "one object that fails keeps no other from its turn",
      find: ".catch((error: unknown) => failures.push(error))",
      replace: "",
    },
    {
      why: "a resync that failed is delivered again",
      find: "if (failures.length > 0) throw failures[0];",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/work-queue.ts", unit("events"), [
    {
      why: "who comes while work runs is answered by work that begins later",
      find: "    if (!entry.begun) return entry.work;\n",
      replace: "    if (entry) return entry.work;\n",
    },
    {
      why: "work for one key runs one at a time",
      find: "entry.next ??= entry.over.then(() => start(key, false));",
      replace: "entry.next ??= start(key, false);",
    },
    {
      why: "after work is a rest as long",
      find: "over: run.then(rest, rest)",
      replace: "over: run.then(() => undefined, () => undefined)",
    },
  ]),
  ...mutationsOf("functions/reconcile/requeue.ts", unit("events"), [
    { why: "a later time replaces the earlier", find: "    clearTimeout(timers.get(key));\n", replace: "" },
    {
      why: "what is farther ahead than the resync has no timer",
      find: "    if (ms > LONGEST_MS) return;\n",
      replace: "",
    },
  ]),
  ...mutationsOf(
    "functions/reconcile/owner.ts",
    [...AGENT, ...LIFECYCLE],
    [
      {
        why: "what somebody else made is not one's own",
        find: "owners.some(({ uid }) => uid === metadata.uid)",
        replace: "owners.length >= 0",
      },
    ],
  ),
  ...mutationsOf("functions/reconcile/workload/observe.ts", unit("lifecycle", "earlier-runs"), [
    { why: "a superseded run is no end of its spec", find: " && !one.superseded);", replace: ");" },
    {
      why: "the run of an earlier workload of the same name is not this one's",
      find: "labelled.filter((one) => isOwnedBy(one, object))",
      replace: "labelled",
    },
    {
      why: "a deletion needs no Argo",
      find: 'if (metadata.deletionTimestamp !== undefined && error instanceof TerminalError && error.reason === "KindMissing")\n      return [];',
      replace: "",
    },
    {
      why: "a run that ended is not started again when its Workflow goes",
      find: "  if (hasFinished(object, runName, workload, deps.now()))\n    return",
      replace: "  if (false)\n    return",
    },
    {
      why: "a failed run starts again when its Workflow is deleted",
      find: 'if (phase !== "Failed" || conditions.some(({ reason }) => reason === REASON.expired)) return true;',
      replace: "if (phase !== undefined) return true;",
    },
    {
      why: "a failed run that has expired is not paid again",
      find: 'if (phase !== "Failed" || conditions.some(({ reason }) => reason === REASON.expired)) return true;',
      replace: 'if (phase !== "Failed") return true;',
    },
    {
      why: "a run whose frozen pipeline is lost does not go on",
      find: "    if (!runObject.pipeline) {",
      replace: "    if (false) {",
    },
    {
      why: "a workload that is being deleted is not looked at further",
      find: "  if (object.metadata.deletionTimestamp !== undefined) return { object, spec: BEING_DELETED, others: runs };\n",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/plan.ts", PLAN, [
    {
      why: "nothing is made before the finalizer is there",
      find: '  if (!object.metadata.finalizers.includes(FINALIZER)) return [{ type: "addFinalizer" }];\n',
      replace: "",
    },
    {
      why: "an invalid edit stops nothing",
      find: "others.filter((other) => other !== last).flatMap",
      replace: "others.flatMap",
    },
    {
      why: "an earlier run whose stop was lost is stopped under an invalid edit too",
      find: "  const stops = others.filter((other) => other !== last).flatMap((other) => planSuperseded(other, now));",
      replace: "  const stops: Action[] = [];",
    },
    {
      why: "the run of an earlier spec is stopped",
      find: "const stops = others.flatMap((other) => planSuperseded(other, now));",
      replace: "const stops: Action[] = [];",
    },
    {
      why: "a run that has ended is not stopped",
      find: "  if (hasEnded(view)) return [];\n  return view.shutdown",
      replace: "  return view.shutdown",
    },
    {
      why: "suspend keeps a run from starting",
      find: "    if (isHeld(observed)) return stops;\n    const inTheWay",
      replace: "    const inTheWay",
    },
    {
      why: "suspend keeps steps from starting",
      find: "if (isHeld(observed)) return [...changes, ...planHeld(",
      replace: "if (false) return [...changes, ...planHeld(",
    },
    {
      why: "a superseded Workflow of the same name goes first",
      find: "    if (inTheWay) return [",
      replace: "    if (false) return [",
    },
    {
      why: "a deletion ends with nothing left to delete",
      find: '  if (all.length === 0) return [{ type: "cleanUp" }];\n',
      replace: '  if (all.length >= 0) return [{ type: "cleanUp" }];\n',
    },
    {
      why: "what another finalizer keeps is not cleaned up twice",
      find: "  if (!object.metadata.finalizers.includes(FINALIZER)) return [];\n",
      replace: "",
    },
    {
      why: "a run expires once",
      find: '  if (conditions.some(({ type, reason }) => type === "Completed" && reason === REASON.expired)) return false;\n',
      replace: "",
      tests: unit("plan", "lifecycle", "status"),
    },
    {
      why: "nothing is requested once the run fails",
      find: "const wanted = failure ? [] : steps.filter(wantsRequest);",
      replace: "const wanted = steps.filter(wantsRequest);",
    },
    {
      why: "a failing run lets what is in flight end",
      find: "return failure && !isUnderWay(view) ? [notRun(node, failure)] : [];",
      replace: "return failure ? [notRun(node, failure)] : [];",
    },
    {
      why: "a gate is settled once the status has its decision",
      find: 'if (verdict.state !== "decided" || review?.decision === undefined) return [];',
      replace: 'if (verdict.state !== "decided") return [];',
    },
    {
      why: "a review opens with its findings published",
      find: 'return [{ type: "publish", findings }, ...(required',
      replace: "return [...(required",
    },
    {
      why: "nobody is asked where no review is required",
      find: '...(required ? [{ type: "requestReview" as const, gate }] : [])',
      replace: '{ type: "requestReview" as const, gate }',
      equivalent: "where none is required the setting decides at once, so that no such gate ever waits",
    },
    {
      why: "a review is asked for once",
      find: '  if (verdict.state !== "waiting" || review) return [];\n',
      replace: '  if (verdict.state !== "waiting") return [];\n',
    },
    {
      why: "a node that was settled is not settled again",
      find: '  const { node, outcome, digest } = view;\n  if (node.phase !== "Running") return [];\n',
      replace: "  const { node, outcome, digest } = view;\n",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/step-view.ts", PLAN, [
    {
      why: "a step whose request is on its way is not requested again",
      find: "work.state.requested || work.state.held",
      replace: "work.state.held",
    },
    {
      why: "a step that somebody works on is not requested again",
      find: "work.state.requested || work.state.held",
      replace: "work.state.requested",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/run-state.ts", PLAN, [
    {
      why: "a step that ended is not requested again",
      find: "!view.outcome && view.work !== undefined",
      replace: "view.work !== undefined",
    },
    {
      why: "a run whose end was lost is made again",
      find: "return hasLostItsEnd(runObject, progress) && rejectionOf(observed) === undefined;",
      replace: "return false;",
      tests: unit("lost-bytes"),
    },
    {
      why: "a rejected run whose end was lost stays rejected",
      find: 'const rejected = progress.keptReviews.find(({ decision }) => decision === "rejected");',
      replace: "const rejected = undefined;",
      tests: unit("lost-bytes"),
    },
    {
      why: "a run that is to end is not held back from ending",
      find: "const held = !stop && (suspend || quota?.wait !== undefined);",
      replace: "const held = suspend || quota?.wait !== undefined;",
      tests: unit("stop-and-rerun"),
    },
    {
      why: "what was stopped, or had failed before, is not made again",
      find: " || spec.run.stopped) return false;",
      replace: ") return false;",
      tests: unit("stop-and-rerun"),
    },
    {
      why: "a failed run is made again under other terms",
      find: "if (isFailed(runObject) && runObject.acceptedTerms !== termsOf(spec.workload.spec)) return true;",
      replace: "",
    },
    {
      why: "a decision that the engine's timer overtook counts",
      find: '  if (progress.gates.some(({ verdict }) => verdict.state === "overtaken")) return true;\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/decisions.ts", GATE, [
    {
      why: "the first decision counts",
      find: "    .toSorted((a, b) => a.at.localeCompare(b.at));",
      replace: "    .slice();",
    },
    {
      why: "a decision is on this workload",
      find: "decisions.list({ namespace, fieldSelector: `spec.workload=${name}` })",
      replace: "decisions.list({ namespace })",
    },
    {
      why: "a decision that no schema takes counts for nothing",
      find: "return parsed && parsed.status?.reason !== INVALID_CORRECTIONS ? [madeOf(parsed, object)] : [];",
      replace: "return [madeOf((parsed ?? object) as AgentDecision, object)];",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/progress.ts", GATE, [
    {
      why: "a review is of this run",
      find: "ofGate.filter((one) => one.run === run.run)",
      replace: "ofGate",
    },
    { why: "a review is of this gate", find: "reviews.filter((one) => one.gate === step.name)", replace: "reviews" },
  ]),
  ...mutationsOf("functions/reconcile/workload/progress.ts", unit("stop-and-rerun"), [
    {
      why: "what a rerun asks for anew is done anew",
      find: "redone && redone > looking.reusableFrom ? redone : looking.reusableFrom",
      replace: "looking.reusableFrom",
    },
    {
      why: "a rerun makes no stale result fresh",
      find: "redone && redone > looking.reusableFrom ? redone : looking.reusableFrom",
      replace: "redone ?? looking.reusableFrom",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/progress.ts", LIFECYCLE, [
    {
      why: "no decision is looked for once the status has one",
      find: "const decisions = isDecided ? [] : await decisionsOnce();",
      replace: "const decisions = await decisionsOnce();",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/told.ts", unit("lost-bytes"), [
    {
      why: "a run whose end the status tells is not judged again",
      find: "  if (!hasEnded(runObject) || runObject.finishedAt === undefined || finishedAt === undefined) return false;\n",
      replace: "  if (finishedAt !== undefined) return false;\n",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/progress.ts", unit("plan", "status", "lifecycle", "lost-bytes"), [
    {
      why: "a spec that is taken back finds its decisions",
      find: "[reviews, earlierReviews].flatMap",
      replace: "[reviews].flatMap",
      tests: unit("earlier-runs"),
    },
    {
      why: "a record of another attempt counts only as a success",
      find: '(state.attempt === attempt || (ended.outcome === "succeeded" && ended.finishedAt >= reusableFrom))',
      replace: "(state.attempt === attempt || ended.finishedAt >= reusableFrom)",
    },
    {
      why: "a success of another attempt counts while it is fresh",
      find: 'ended.outcome === "succeeded" && ended.finishedAt >= reusableFrom',
      replace: 'ended.outcome === "succeeded"',
    },
    {
      why: "a deadline belongs to its attempt",
      find: "  if (state.attempt !== attempt || !state.requestedAt || state.held) return undefined;\n",
      replace: "  if (!state.requestedAt || state.held) return undefined;\n",
    },
    {
      why: "a step that somebody works on is not given up",
      find: "  if (state.attempt !== attempt || !state.requestedAt || state.held) return undefined;\n",
      replace: "  if (state.attempt !== attempt || !state.requestedAt) return undefined;\n",
    },
    {
      why: "an agent that never answers holds no run for ever",
      find: "  const late = deadlineProblem(looking, view.step, state, attempt);\n",
      replace: "  const late = undefined;\n",
    },
    {
      why: "a result is checked against its agent's output schema",
      find: "  return agent ? checkedResult(result, agent, run.workload, step) : Promise.resolve(result);",
      replace: "  return Promise.resolve(result);",
    },
    {
      why: "a settled step whose bytes are gone is done again",
      find: 'if (!result) return output.outcome === "failed" ? { ...view, outcome: lostFailure(node) } : view;',
      replace: "if (!result) return { ...view, outcome: lostFailure(node) };",
    },
    {
      why: "a failure whose bytes are gone stays one",
      find: 'if (!result) return output.outcome === "failed" ? { ...view, outcome: lostFailure(node) } : view;',
      replace: "if (!result) return view;",
    },
    {
      why: "a node that somebody resumed by hand is no success",
      find: '  if (node.phase === "Succeeded")\n    return { ...view, outcome: failedResult("ResumedByHand", "its node was resumed in Argo without a result") };\n',
      replace: "",
      tests: unit("plan", "status", "lifecycle"),
    },
    {
      why: "a node that Argo failed when it ended the run says nothing of its step",
      find: "  if (isCutOff(looking, node)) return view;\n",
      replace: "",
      tests: unit("plan", "status", "gate", "lifecycle"),
    },
    {
      why: "a gate waits while a step before it is done again",
      find: "if (isCutOff(looking, node) || isReopened(run, step, steps)) {",
      replace: "if (isCutOff(looking, node)) {",
      tests: GATE,
    },
    {
      why: "a review stays as it is when Argo cuts the run short",
      find: "if (isCutOff(looking, node) || isReopened(run, step, steps)) {",
      replace: "if (isReopened(run, step, steps)) {",
      tests: GATE,
    },
    {
      why: "what comes after a step that is done again waits",
      find: "    if (open && (own === undefined || open.has(own))) return {};\n",
      replace: "",
    },
    {
      why: "what comes after a tampered gate does not run",
      find: "    if (outcome.reason === REASON.tamperedGate)\n",
      replace: "    if (false)\n",
      tests: unit("gate", "plan", "status", "lifecycle"),
    },
    {
      why: "a step whose node somebody resumed in Argo has nothing to work on",
      find: '    if (outcome.outcome === "failed" && !(isSingle && before?.optional))\n      return { outcome: failedResult("NothingToWorkOn"',
      replace: '    if (false)\n      return { outcome: failedResult("NothingToWorkOn"',
      tests: unit("plan", "status", "lifecycle"),
    },
    {
      why: "an attempt whose bytes are gone has a deadline of its own",
      find: '${lost && "digest" in lost ? `/${lost.digest}` : ""}',
      replace: "",
    },
    {
      why: "a step's identity has the revision that the run froze",
      find: 'const revision = run.pipeline.agents[step.agent ?? ""]?.revision ?? "";',
      replace: 'const revision = "";',
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/apply.ts", unit("claims", "writes", "lifecycle"), [
    {
      why: "a tenant's agents can log in when a step reaches them",
      find: "    await deps.ensureLogins(run.workload.namespace);\n",
      replace: "    ;\n",
    },
    {
      why: "a finalizer is written on what was seen",
      find: "finalizers, resourceVersion: metadata.resourceVersion }",
      replace: "finalizers }",
    },
    {
      why: "a request that did not leave is sent at the next look",
      find: "      await deps.withdrawRequest(work.identity);\n",
      replace: "",
    },
    {
      why: "a step's deadline counts from its first request",
      find: "const byStep = (firstAsked ?? now).getTime()",
      replace: "const byStep = now.getTime()",
    },
    {
      why: "another attempt's request does not count for the deadline",
      find: "state.attempt === attempt ? state.requestedAt : undefined",
      replace: "state.requestedAt",
    },
    {
      why: "no step's deadline is after its run's",
      find: "new Date(Math.min(byStep, byRun))",
      replace: "new Date(byStep)",
    },
    {
      why: "a run's deadline counts from its start",
      find: "(observed.runObject?.createdAt ?? now).getTime() + run.runDeadlineMs",
      replace: "now.getTime() + run.runDeadlineMs",
    },
    { why: "a deletion waits for Redis and the store", find: "      if (!givesUp) throw error;\n", replace: "" },
    {
      why: "a deletion gives up Redis and the store after a while",
      find: "      if (!givesUp) throw error;\n",
      replace: "      throw error;\n",
    },
    {
      why: "artifacts go with their workload",
      find: '    "its artifacts could not be": () => deps.artifacts.drop(object.metadata),\n',
      replace: "",
    },
    {
      why: "a step starts anew where its record does not count",
      find: "startAnew: state.ended !== undefined",
      replace: "startAnew: false",
    },
    {
      why: "one request that cannot be sent keeps no other from being sent",
      find: 'for (const one of await Promise.allSettled(promises)) if (one.status === "rejected") throw one.reason;',
      replace: "await Promise.allSettled(promises);",
    },
    {
      why: "a failure that no agent left has its result stored",
      find: "  if (!result) return settlement;\n",
      replace: "  if (settlement) return settlement;\n",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/reconcile.ts", unit("writes", "lifecycle"), [
    {
      why: "a status is written on what was seen",
      find: "await deps.kube.workloads.putStatus(object, status);",
      replace:
        "await deps.kube.workloads.putStatus((await deps.kube.workloads.get(object.metadata)) ?? object, status);",
    },
    {
      why: "no status is written on what has proved to be otherwise",
      find: '  if (conflict && failed === undefined) return "again";\n',
      replace: "",
    },
    {
      why: "a status that says nothing new is not written",
      find: '  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return "same";\n',
      replace: "",
    },
    {
      why: "a status that says something new has its Event",
      find: "for (const event of kubernetesEvents(object, status, deps.now()))",
      replace: "for (const event of kubernetesEvents(object, status, deps.now()).slice(0, 0))",
    },
    {
      why: "an Event that cannot be written keeps no status from being written",
      find: '.catch((error: unknown) => {\n      const { namespace, name } = object.metadata;\n      deps.log.warn({ err: error, workload: `${namespace}/${name}`, reason: event.reason }, "Event not written");\n    })',
      replace: "",
    },
    {
      why: "an action that fails keeps no other from being done",
      find: "      failed ??= error;\n",
      replace: "      failed ??= error;\n      break;\n",
    },
    {
      why: "a run that has ended keeps its end",
      find: "if (!object || isOver(object, deps.now())) return;",
      replace: "if (!object) return;",
    },
    {
      why: "what passes by itself is not said in the status",
      find: "if (!stall || PASSING.has(stall.reason)) return;",
      replace: "if (!stall) return;",
    },
    {
      why: "a decision that is in the status is settled at once",
      find: 'did("deleteRun") || hasNewDecision(observed)) return "again";',
      replace: 'did("deleteRun")) return "again";',
    },
    {
      why: "a step that is late is looked at without an event",
      find: "...late.filter((at) => at > now())",
      replace: "",
    },
    { why: "a gate's timeout is looked at without an event", find: "...timeouts, ", replace: "" },
    {
      why: "in a namespace that is going away nothing new is written",
      find: 'const written = going ? "same" : await',
      replace: "const written = await",
    },
    {
      why: "what keeps a run from being looked at is said in its status",
      find: "    await writeStall(ref, error, deps);\n",
      replace: "",
    },
    { why: "what failed is delivered again", find: "  throw outcome.failed;\n", replace: "  return undefined;\n" },
  ]),
  ...mutationsOf("functions/reconcile/workload/gate.ts", GATE, [
    {
      why: "a review is about these findings",
      find: "own.find(isOn) ?? before.find(isOn) ?? rejected",
      replace: "own[0] ?? before[0] ?? rejected",
    },
    {
      why: "a rejection stands, whatever the steps left when they were done again",
      find: 'settledFor?.decision === "rejected" ? settledFor : undefined',
      replace: "undefined",
    },
    {
      why: "a gate opens again where what was approved is lost, and made otherwise",
      find: '  if (lost && isFinal(lost)) return { state: "overtaken", decision: lost };\n',
      replace: "",
    },
    {
      why: "what a gate was settled for is a decision that says so",
      find: "decision !== undefined && decision === decisionOfNode(node)",
      replace: "decision !== undefined",
    },
    {
      why: "a decision that was made with kubectl is about these findings",
      find: "decisions.filter((one) => one.digest === digest && ",
      replace: "decisions.filter((one) => ",
    },
    {
      why: "a decision that was made with kubectl after the timeout is late",
      find: " && Date.parse(one.at) < timeoutAt.getTime());",
      replace: ");",
    },
    {
      why: "a decision in the status comes before one that is made later",
      find: "const decision = acknowledged ?? counted;",
      replace: "const decision = counted ?? acknowledged;",
      equivalent: "none is looked for once the status has one (progress.ts)",
    },
    {
      why: "a decision that was acknowledged comes before the timeout",
      find: "acknowledged ?? automaticDecision(gate, required, now)",
      replace: "automaticDecision(gate, required, now) ?? acknowledged",
    },
    {
      why: "the timeout approves only where onTimeout says so",
      find: '  if (node.phase !== "Running" || now < timeoutAt) return undefined;\n  const decision = onTimeout === "Approve" ? "approved" : "rejected";',
      replace: '  if (node.phase !== "Running" || now < timeoutAt) return undefined;\n  const decision = "approved";',
    },
    {
      why: "a gate waits until its timeout",
      find: '  if (node.phase !== "Running" || now < timeoutAt) return undefined;\n',
      replace: '  if (node.phase !== "Running") return undefined;\n',
    },
    {
      why: "a node that was settled by hand is no decision of the timeout",
      find: '  if (node.phase !== "Running" || now < timeoutAt) return undefined;\n',
      replace: "  if (now < timeoutAt) return undefined;\n",
    },
    { why: "a required review is not approved by the setting", find: "  if (!required)\n", replace: "  if (true)\n" },
    {
      why: "a node that says otherwise than the decision is tampered with",
      find: "if (written && written.decision === settled)",
      replace: "if (written)",
    },
    {
      why: "Argo's timeout does not overrule a decision",
      find: "if (byEngine && acknowledged)",
      replace: "if (false)",
    },
    {
      why: "before the timeout a node's end is not Argo's",
      find: "if (at < timeoutAt || decisionOfNode(node) !== decision) return undefined;",
      replace: "if (decisionOfNode(node) !== decision) return undefined;",
    },
    {
      why: "Argo's end of a gate is what onTimeout says",
      find: "if (at < timeoutAt || decisionOfNode(node) !== decision) return undefined;",
      replace: "if (at < timeoutAt) return undefined;",
    },
    {
      why: "a settled review's terms stay as people were told",
      find: "new Date(told?.timeoutAt ?? openedAt.getTime() + terms.timeoutMs)",
      replace: "new Date(openedAt.getTime() + terms.timeoutMs)",
    },
    {
      why: "a decision that no person made says so",
      find: "const about = { gate: step.name, digest, automatic: true };",
      replace: "const about = { gate: step.name, digest, automatic: false };",
    },
    {
      why: "a decision in the status is complete",
      find: "return review?.decision && decisionSchema.strip().safeParse(review).data;",
      replace: "return review?.decision && (review as Decision);",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/status.ts", STATUS, [
    {
      why: "decisions of earlier runs are kept",
      find: "    ...earlierReviewsOf(observed, run, context),\n",
      replace: "",
    },
    {
      why: "decisions go with their Workflow",
      find: " && names.has(engine.nameOf({ workload, run: review.run }))",
      replace: "",
    },
    {
      why: "a review is not open in a status of a look that failed",
      find: 'if (gate.node.phase === "Running" && !gate.review && (stall || isHeld(observed))) return [];',
      replace: "",
      tests: [...STATUS, ...GATE],
    },
    {
      why: "a condition's transition time is when its status changed",
      find: "known?.status === status ? known.lastTransitionTime : ",
      replace: "",
    },
    {
      why: "a run is not said to have expired before its artifacts are gone",
      find: "return context.stall ? before : expired(before, say);",
      replace: "return expired(before, say);",
    },
    {
      why: "a stall does not hide a run's end",
      find: "stall && !end ? no(stall.reason, stall.message)",
      replace: "stall ? no(stall.reason, stall.message)",
    },
    {
      why: "a condition says which generation it is about",
      find: "      ...(generation === undefined ? {} : { observedGeneration: generation }),\n",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/kubernetes-event.ts", STATUS, [
    {
      why: "a status that only counts on makes no Event",
      find: 'if (status.phase === before.phase && reason === conditionIn(before, "Ready")?.reason) return [];',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/object-event.ts", STATUS, [
    {
      why: "an Event that is written twice is one",
      find: "sha256(`${uid}/${key}/${reason}`)",
      replace: "sha256(`${Math.random()}`)",
    },
  ]),
  ...mutationsOf(
    "engine/outputs.ts",
    ["test/unit/engine/outputs.test.ts"],
    [
      {
        why: "a failed step's artifacts are no outputs",
        find: 'one?.outcome === "succeeded" ?',
        replace: "one ?",
      },
      {
        why: "what is for reviewers, or for the next run, is no output",
        find: ".filter(({ role }) => role !== SUMMARY && !/^\\.[a-z]/.test(role))",
        replace: "",
      },
    ],
  ),
  ...mutationsOf("functions/reconcile/index.ts", unit("app"), [
    {
      why: "a decision whose event was lost is recorded all the same",
      find: "decision: enqueueDecided, schedule",
      replace: "decision: async () => {}, schedule",
    },
    {
      why: "a decision that was recorded brings on nothing more",
      find: "if (!decision || !isUnrecorded(decision)) return;",
      replace: "if (!decision) return;",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/decision-outcome.ts", unit("decision-outcome"), [
    {
      why: "a decision is not said to count that another's way, name or time came before",
      find: 'review.how === "AgentDecision" && review.decision === decision && review.by === by && review.at === at',
      replace: "review.decision === decision",
    },
    {
      why: "an approval that names steps is told that it does not count",
      find: 'return steps && "only a request for changes names steps";',
      replace: "return undefined;",
    },
    {
      why: "a request for changes that is not taken says why",
      find: 'if (wrong !== undefined) return { ...refused("NotChangeable", wrong), gate };',
      replace: "",
    },
    {
      why: "a decision whose gate is open is not judged",
      find: "return finishedAt === undefined\n",
      replace: "return false\n",
    },
    {
      why: "a refused decision leaves an Event of its workload",
      find: 'if (workload && status.outcome === "Refused")',
      replace: "if (false as boolean && workload)",
    },
    {
      why: "what became of a decision is recorded once",
      find: "object && isUnrecorded(object) ?",
      replace: "object ?",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/turn.ts", unit("turn"), [
    { why: "reconcile does not write in the engine's turn", find: "  if (end && now < end) return [];\n", replace: "" },
    {
      why: "an engine that missed a write is nudged",
      find: 'return end ? [{ type: "nudge", view }] : [];',
      replace: "return [];",
    },
    {
      why: "an engine that stays silent is nudged less and less",
      find: "Math.max(ENGINES_TURN_MS, nudgedAt.getTime() - settledUnseenAt.getTime())",
      replace: "ENGINES_TURN_MS",
    },
    { why: "a stopped run is nudged now and then", find: "return lately ? [] : [", replace: "return [" },
  ]),
  ...mutationsOf("functions/reconcile/workload/resolve.ts", unit("lifecycle", "status", "plan", "earlier-runs"), [
    { why: "an invalid pipeline starts no run", find: "  if (problems.length > 0)\n", replace: "  if (false)\n" },
    { why: "invalid inputs start no run", find: "  if (own.length > 0) return", replace: "  if (false) return" },
    {
      why: "an Agent of the image's name that is somebody else's is not used",
      find: "    if (!isOwnedBy(there, object))\n",
      replace: "    if (false)\n",
    },
    {
      why: "a run waits for its agents' revisions",
      find: "else if (revision === undefined) problems.push(",
      replace: "else if (false) problems.push(",
    },
    {
      why: "a new image is applied before the run starts",
      find: "    if (canonicalJson(specOf(there)) !== canonicalJson(agent.spec))\n",
      replace: "    if (false)\n",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/stall.ts", STATUS, [
    {
      why: "while somebody works on a step no other is said to be stuck",
      find: "  if (open.some(({ work }) => work?.state.held)) return undefined;\n",
      replace: "",
    },
    {
      why: "Argo is not silent before half a minute",
      find: "if (!since || now.getTime() - since.getTime() < LATE_MS) return undefined;",
      replace: "if (!since) return undefined;",
    },
  ]),
  ...mutationsOf("functions/reconcile/argo/render.ts", unit("render"), [
    {
      why: "a run ends in time, also where reconcile is gone",
      find: "      activeDeadlineSeconds: Math.ceil(run.runDeadlineMs / 1000),\n",
      replace: "",
    },
    {
      why: "a Workflow goes when its time is over",
      find: "      ttlStrategy: {",
      replace: "      podGC: {",
    },
    {
      why: "as many items are in flight as the workload allows",
      find: "      parallelism: run.parallelism,\n",
      replace: "",
    },
    {
      why: "a Workflow goes with its workload",
      find: "          uid: run.workload.uid,\n",
      replace: '          uid: "",\n',
    },
    {
      why: "no branch ends another one",
      find: "dag: { failFast: false, tasks: [...tasks",
      replace: "dag: { tasks: [...tasks",
    },
    { why: "a gate's end in Argo comes after reconcile's", find: "(timeoutMs + GATE_GRACE_MS)", replace: "timeoutMs" },
    {
      why: "Argo approves a gate only where onTimeout says so",
      find: 'onTimeout === "Approve" ? { default: APPROVED_OUTPUT } : {}',
      replace: "{ default: APPROVED_OUTPUT }",
    },
    { why: "a fan-out of nothing is skipped", find: "      when: `${count} != 0`,\n", replace: "" },
    {
      why: "a gate has a timeout in Argo",
      find: "suspend: { duration: String(Math.ceil((timeoutMs + GATE_GRACE_MS) / 1000)) }",
      replace: "suspend: {}",
    },
  ]),
  ...mutationsOf("functions/reconcile/argo/nodes.ts", unit("nodes", "turn"), [
    {
      why: "a node is settled while it runs only",
      find: '      { op: "test", path: `${path}/phase`, value: "Running" },\n',
      replace: "",
    },
    {
      why: "a node is settled in the attempt that was seen",
      find: '      { op: "test", path: `${path}/startedAt`, value: settlement.node.startedAt },\n',
      replace: "",
    },
    {
      why: "compressed nodes are settled on what was seen",
      find: '      { op: "test", path: "/status/compressedNodes", value: compressed },\n',
      replace: "",
    },
    {
      why: "a Workflow that somebody suspended is seen as that",
      find: "suspended: spec.suspend === true",
      replace: "suspended: false",
    },
    {
      why: "a superseded Workflow is seen as that",
      find: "superseded: object.metadata.annotations[SUPERSEDED] !== undefined",
      replace: "superseded: false",
    },
    {
      why: "a task that waits for another one too is not due",
      find: "if (before.length < names.length || !before.every(({ phase }) => ENDED.has(phase))) continue;",
      replace: "if (before.length < names.length) continue;",
    },
  ]),
  ...mutationsOf(
    "functions/reconcile/argo/engine.ts",
    [...LIFECYCLE, ...unit("converge")],
    [
      {
        why: "a run that is superseded is marked as that",
        find: 'annotations: { [SUPERSEDED]: "true" }',
        replace: "annotations: {}",
      },
      { why: "a run that is superseded is stopped", find: ', spec: { shutdown: "Terminate" } }', replace: " }" },
    ],
  ),
  ...mutationsOf("functions/reconcile/agent/triggers.ts", AGENT, [
    {
      why: "one Trigger changes at a time",
      find: "if (all.some((one) => one.metadata.name !== ref.name && isChanging(one, deps.now()))) return false;",
      replace: "",
    },
    {
      why: "no other process changes a Trigger meanwhile",
      find: '  return exclusivelyOrDeleted("triggers", deps.kube.agents, agent, deps, async () => {',
      replace: "  return exclusivelyOrDeleted(ref.name, deps.kube.agents, agent, deps, async () => {",
    },
    {
      why: "a Trigger that is as it should be is left alone",
      find: "  if (there && hashIn(there) === hashIn(wanted)) return there;\n",
      replace: "",
    },
    {
      why: "a Trigger that does not get ready keeps others waiting for a while only",
      find: "return now.getTime() - since < SETTLES_MS;",
      replace: "return true;",
    },
    {
      why: "a Trigger that is being deleted is waited for",
      find: 'if (deletionTimestamp === undefined && ready?.status === "True") return false;',
      replace: 'if (deletionTimestamp !== undefined || ready?.status === "True") return false;',
    },
    {
      why: "a ready Trigger keeps nobody waiting",
      find: 'if (deletionTimestamp === undefined && ready?.status === "True") return false;',
      replace: "",
    },
    {
      why: "a Trigger is there until its Subscription has left the channel",
      find: 'deps.kube.triggers.remove(ref, "Foreground")',
      replace: "deps.kube.triggers.remove(ref)",
    },
    {
      why: "an Agent's deletion gives up its Trigger after a while",
      find: '> GIVE_UP_MS ? "givenUp" : "going"',
      replace: '> GIVE_UP_MS ? "going" : "going"',
    },
    {
      why: "a Trigger that is going is not deleted again",
      find: "  if (deletionTimestamp !== undefined)\n    return deps.now()",
      replace:
        "  if (deletionTimestamp !== undefined && deps.now().getTime() - Date.parse(deletionTimestamp) > GIVE_UP_MS)\n    return deps.now()",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/gate.ts", PLAN, [
    {
      why: "a decision in a run of another spec does not count",
      find: "run.earlier.includes(one.run) && ",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/gate.ts", CHANGES, [
    {
      why: "a request that is not taken leaves the gate to others",
      find: "changeRequestOf(run, step, one) !== undefined : !one.steps",
      replace: "true : !one.steps",
    },
    {
      why: "an approval of steps is none",
      find: "!== undefined : !one.steps",
      replace: "!== undefined : true",
      tests: ["test/integration/hostile-decisions/objects.test.ts"],
    },
    {
      why: "a gate is skipped where its condition is false, not where its node says so",
      find: 'if (skips && (isSkipped || node.phase === "Running"))',
      replace: 'if (isSkipped || (skips && node.phase === "Running"))',
      tests: GATE,
    },
    {
      why: "a decision on the same findings stands in the next round",
      find: "own.find(isOn) ?? before.find(isOn) ?? rejected",
      replace: "own.find(isOn) ?? rejected",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/observe.ts", CHANGES, [
    {
      why: "changes are those of this spec",
      find: "known.filter(({ run }) => run === base)",
      replace: "known",
    },
    {
      why: "a newer agent does not do again what changes do not concern",
      find: "const frozen = earlier.find(({ pipeline }) => pipeline)?.pipeline;",
      replace: "const frozen = undefined;",
    },
    {
      why: "what changes do not concern does not grow old at the gate",
      find: "Math.min(...[runObject, ...earlier].map(",
      replace: "Math.min(...[runObject].map(",
    },
  ]),
  ...mutationsOf("functions/reconcile/agent/status.ts", AGENT, [
    {
      why: "what a Service said of an earlier generation does not count",
      find: "if (!object || !status || status.observedGeneration !== object.metadata.generation)",
      replace: "if (!object || !status)",
    },
    {
      why: "a Service that was made again has another revision",
      find: "`${revision}.${service.metadata.uid.slice(0, 8)}`",
      replace: "revision",
    },
    {
      why: "a Trigger that has just become ready does not deliver yet",
      find: " ?? tooNew(trigger, now);",
      replace: ";",
    },
    {
      why: "a clock that is behind Knative's makes no Agent wait",
      find: "Math.abs(now.getTime() - Date.parse(since))",
      replace: "now.getTime() - Date.parse(since)",
    },
    {
      why: "no run starts while requests would reach nobody",
      find: " && noTrigger === undefined;",
      replace: ";",
    },
  ]),
  ...mutationsOf("functions/reconcile/agent/reconcile.ts", AGENT, [
    {
      why: "an agent's first pod can log in",
      find: "  await ensureLogins(namespace);\n",
      replace: "",
    },
    {
      why: "an agent's walls are there before its first pod",
      find: "  await applyNetworkPolicy(agent, kube);\n",
      replace: "",
    },
    {
      why: "an agent's walls are written again only when they have changed",
      find: "if (!there || hashIn(there) !== hashIn(wanted)) await",
      replace: "await",
    },
    {
      why: "a namespace with other Agents keeps its login",
      find: "  if (others.some((one) => one.metadata.uid !== uid)) return;\n",
      replace: "",
    },
    {
      why: "a Knative Service that is somebody else's stays as it is",
      find: "if (isByImage(agent.spec) && before && !isOwnedBy(before, object)) {",
      replace: "if (false) {",
    },
    {
      why: "a Service that only has the name is not deleted",
      find: "own.metadata.deletionTimestamp === undefined && isOwnedBy(own, object)",
      replace: "own.metadata.deletionTimestamp === undefined",
    },
    {
      why: "an agent without an address has no Trigger",
      find: "const trigger = reached ? await applyTrigger(agent, deps) : undefined;",
      replace: "const trigger = await applyTrigger(agent, deps);",
    },
    {
      why: "an Agent goes after its Trigger",
      find: '  if (trigger === "going") return',
      replace: "  if (false) return",
    },
    {
      why: "an Agent's finalizer is written on what was seen",
      find: "{ metadata: { finalizers: left, resourceVersion } }",
      replace: "{ metadata: { finalizers: left } }",
    },
    {
      why: "a Service is applied when it has changed",
      find: "if (service && hashIn(service) === hashIn(wanted)) {",
      replace: "if (false) {",
    },
  ]),
  ...mutationsOf(
    "crd/agent.ts",
    [...AGENT, "test/unit/crd.test.ts"],
    [
      {
        why: "an agent has one way to be reached",
        find: "  if (given.length !== 1)\n",
        replace: "  if (false)\n",
      },
      {
        why: "no agent keeps more instances than it may have",
        find: "if (spec.scale && spec.scale.min > spec.scale.max)",
        replace: "if (false)",
      },
      {
        why: "what only an image has is refused without one",
        find: "  if (spec.image !== undefined) return;\n",
        replace: "  if (spec) return;\n",
      },
    ],
  ),
  ...mutationsOf("functions/reconcile/agent/render.ts", AGENT, [
    {
      why: "an agent's pod has no token of Kubernetes",
      find: "      serviceAccountName: sideName(agent),\n      automountServiceAccountToken: false,\n",
      replace: "      serviceAccountName: sideName(agent),\n",
    },
    {
      why: "an agent's service account has no token",
      find: "    metadata: metadataFor(agent, sideName(agent)),\n    automountServiceAccountToken: false,\n",
      replace: "    metadata: metadataFor(agent, sideName(agent)),\n",
    },
    { why: "an agent is no root", find: "            runAsNonRoot: true,\n", replace: "" },
    {
      why: "an agent is reached from inside the cluster only",
      find: '        "networking.knative.dev/visibility": "cluster-local",\n',
      replace: "",
    },
    {
      why: "an agent's walls are its own",
      find: "      podSelector: { matchLabels: { [AGENT_LABEL]: agent.metadata.name } },\n",
      replace: "      podSelector: {},\n",
    },
    {
      why: "an agent has walls both ways",
      find: 'policyTypes: ["Ingress", "Egress"]',
      replace: 'policyTypes: ["Ingress"]',
    },
    {
      why: "an agent is called by Knative only",
      find: "[{ from: [namespace(...CALLERS)], ports:",
      replace: "[{ ports:",
    },
    {
      why: "an agent reaches the product's parts, not whatever else is in their namespace",
      find: '[pods(namespace(SHARED_NAMESPACE), "app.kubernetes.io/name", part)]',
      replace: "[namespace(SHARED_NAMESPACE)]",
    },
    {
      why: "two Agents of one name in two namespaces have two Triggers",
      find: "sha256(`${metadata.namespace}/${metadata.name}`)",
      replace: "sha256(metadata.name)",
    },
    {
      why: "other settings are another revision",
      find: '        "agentic.dev/settings": sha256(canonicalJson(settings)).slice(0, 12),\n',
      replace: "",
    },
    {
      why: "a Trigger brings an agent its own requests only",
      find: "      { exact: { agent: agentAttribute(metadata) } },\n",
      replace: "",
    },
    {
      why: "a Trigger brings no answers back",
      find: "      { any: [{ exact: { type: STEP_REQUESTED } }, { exact: { type: STEP_EXPECTED } }] },\n",
      replace: "",
    },
  ]),
  ...mutationsOf(
    "lib/edges/kube-calls.ts",
    ["test/integration/kube-answers.test.ts"],
    [
      {
        why: "a write on an old version is a conflict",
        find: '    if (cause.code === 409) return { refused: "conflict" };\n',
        replace: "",
      },
      {
        why: "a test that failed in a patch is a conflict",
        find: "    if (cause.code === 422 && /the server",
        replace: "    if (false && /the server",
      },
      {
        why: "an object that the API server refuses is no conflict",
        find: "cause.code === 422 && /the server rejected our request|testing path|test failed/i.test(message)",
        replace: "cause.code === 422",
      },
      {
        why: "an API server that is busy is trouble that passes",
        find: "if (cause.code === 429 || cause.code >= 500)",
        replace: "if (cause.code >= 500)",
      },
      {
        why: "an API server that fails is trouble that passes",
        find: "if (cause.code === 429 || cause.code >= 500)",
        replace: "if (cause.code === 429)",
      },
      {
        why: "an API server that is away is trouble that passes",
        find: "    if (!(cause instanceof ApiException))\n      throw unavailable(",
        replace: "    if (!(cause instanceof ApiException))\n      throw new TypeError(",
      },
    ],
  ),
  ...mutationsOf(
    "lib/edges/kube.ts",
    ["test/integration/kube-answers.test.ts"],
    [
      {
        why: "a status is put on the version that was read",
        find: "body: { ...object, status } }",
        replace: "body: { ...object, metadata: { ...object.metadata, resourceVersion: undefined }, status } }",
      },
      { why: "all pages of a list are read", find: "        next = metadata?.continue;\n", replace: "" },
      { why: "a list is read a page at a time", find: "limit: PAGE_SIZE, ", replace: "" },
      {
        why: "a kind that is not installed is said by its name",
        find: '      if (!("value" in found)) throw new TerminalError("KindMissing", kindMissing(kind));\n      return',
        replace: '      if (!("value" in found)) return [];\n      return',
      },
    ],
  ),
  ...mutationsOf(
    "functions/reconcile/argo/seal.ts",
    ["test/unit/reconcile/seal.test.ts"],
    [
      {
        why: "a frozen pipeline is read as reconcile wrote it",
        find: "return pipeline && isSealed(object) ? ",
        replace: "return pipeline ? ",
      },
      {
        why: "a seal is for one run",
        find: "[PIPELINE_ANNOTATION, namespace, name, annotations[PIPELINE_ANNOTATION]]",
        replace: "[PIPELINE_ANNOTATION, annotations[PIPELINE_ANNOTATION]]",
      },
      {
        why: "a seal is reconcile's",
        find: "publicKeys.some((key) =>",
        replace: "[...publicKeys, true].some((key) => key === true ||",
      },
    ],
  ),
];
