import { type Mutation, mutationsOf } from "./mutation.ts";

const APPROVE = ["test/integration/approve.test.ts"];
const STATUS = ["test/unit/workload-reviews.test.ts"];
const LINK = ["test/unit/review-link.test.ts"];

/** Who may decide, on what, and how often. */
export const APPROVE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf(
    "lib/review-link.ts",
    [...LINK, ...APPROVE],
    [
      {
        why: "a link is for one workload",
        find: "if (namespace === ref.namespace && name === ref.name) return",
        replace: "if (true) return",
      },
      {
        why: "a link is no other token of the same key",
        find: "        audience: AUDIENCE,\n",
        replace: "",
      },
      { why: "a link has an end", find: "    .setExpirationTime(expiresAt)\n", replace: "" },
      {
        why: "a link without an end permits nothing",
        find: '        requiredClaims: ["exp"],\n',
        replace: "",
        tests: ["test/integration/hostile-decisions/links.test.ts"],
      },
      { why: "a link's content is checked", find: "linkSchema.parse(payload);", replace: "payload as ReviewLink;" },
      {
        why: "nobody decides without a link",
        find: '    if (!token) return { status: 401, message: "Open the review by its link, which carries the permission to decide." };\n',
        replace: "",
        equivalent: "an empty token does not verify, and is answered 401 as well, with another sentence",
      },
    ],
  ),
  ...mutationsOf("functions/approve/admit.ts", APPROVE, [
    { why: "a link is for one gate", find: "if (gate !== undefined && gate !== who.gate)", replace: "if (false)" },
    {
      why: "a link is for the findings that it was made for",
      find: "if (record.review.digest !== who.digest) {",
      replace: "if (false) {",
    },
  ]),
  ...mutationsOf("functions/approve/decide.ts", APPROVE, [
    {
      why: "after the timeout nobody decides",
      find: "if (!review.decision && isOver(review, at))",
      replace: "if (false)",
    },
    {
      why: "an earlier decision is told also after the timeout",
      find: "if (!review.decision && isOver(review, at))",
      replace: "if (isOver(review, at))",
    },
    {
      why: "the same decision again is no conflict",
      find: "if (repeated) return { status: 200, decision };",
      replace: "",
    },
    {
      why: "a second decision is refused",
      find: "if (repeated) return { status: 200, decision };",
      replace: "return { status: 200, decision };",
    },
    {
      why: "changes need a comment",
      find: 'decision !== "changesRequested" || comment,',
      replace: "true,",
    },
    {
      why: "only changes name steps",
      find: 'decision === "changesRequested" || !steps,',
      replace: "true,",
    },
    {
      why: "changes are asked for where reconcile would take them",
      find: 'const isAsked = request.decision === "changesRequested" && !review.decision;',
      replace: "const isAsked = false;",
    },
    {
      why: "a comment has a limit",
      find: 'z.string().trim().max(4000, "expected at most 4,000 characters").optional()',
      replace: "z.string().trim().optional()",
    },
    {
      why: "a decision says that a person made it",
      find: "    automatic: false,\n",
      replace: "    automatic: true,\n",
    },
  ]),
  ...mutationsOf("functions/approve/pages.ts", APPROVE, [
    {
      why: "no other site's form decides",
      find: "    csrf({ origin: (origin, c) => origin === originOf(c) }),\n",
      replace: "",
    },
    { why: "a form comes from the page's own origin", find: "origin === originOf(c)", replace: "true" },
    {
      why: "a decision has a limit of bytes",
      find: "    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => say(c, TOO_LARGE) }),\n",
      replace: "",
    },
    {
      why: "a link's token does not stay in the address",
      find: "return c.redirect(gatePath(ref, who.gate), 303);\n    });",
      replace: "return next();\n    });",
    },
    {
      why: "a link that is invalid sets no cookie",
      find: "        return say(c, refusal);\n      }\n      keepToken",
      replace: "      }\n      keepToken",
    },
    { why: "no page is kept by a cache", find: '    c.header("cache-control", "no-store");\n', replace: "" },
    { why: "no script runs on a page", find: "    defaultSrc: [\"'none'\"],\n", replace: "" },
    { why: "no other page frames a review", find: "    frameAncestors: [\"'none'\"],\n", replace: "" },
    {
      why: "no picture but the findings' is served",
      find: "if (!(await loader.pictures(seen.record)).has(key)) return c.notFound();",
      replace: "",
    },
    {
      why: "pictures are for who may see the review",
      find: '    const seen = await admitTo(deps, c);\n    if ("status" in seen) return say(c, seen);\n    const { workload } = seen.record;\n    const key',
      replace:
        '    const seen = { record: (await deps.reviews.read(refOf(c), c.req.param("gate") ?? "")) as ReviewRecord };\n    const { workload } = seen.record;\n    const key',
    },
    {
      why: "outputs are for who may see the review",
      find: '    const seen = await admitTo(deps, c);\n    if ("status" in seen) return say(c, seen);\n    const key = outputOf',
      replace:
        '    const seen = { record: (await deps.reviews.read(refOf(c), c.req.param("gate") ?? "")) as ReviewRecord };\n    const key = outputOf',
    },
    {
      why: "an output runs no script with the reviewer's permission",
      find: '    if (ACTIVE.has(extension)) c.header("content-security-policy", "sandbox");\n',
      replace: "",
    },
    {
      why: "no output is a property of every object",
      find: "Object.hasOwn(outputs, name) ? outputs[name] : undefined",
      replace: "outputs[name] as string | undefined",
    },
    {
      why: "no output of another workload is served",
      find: "key !== undefined && isArtifactOf(workload, key) ? key : undefined",
      replace: "key",
    },
  ]),
  ...mutationsOf("functions/approve/permission.ts", APPROVE, [
    { why: "no script reads the permission", find: "    httpOnly: true,\n", replace: "" },
    { why: "no other site's request carries the permission", find: '    sameSite: "Lax",\n', replace: "" },
    {
      why: "the permission goes over https only, where the page does",
      find: '    secure: schemeOf(c) === "https",\n',
      replace: "",
    },
    {
      why: "the permission goes to its workload only",
      find: '    sameSite: "Lax",\n    path,\n',
      replace: '    sameSite: "Lax",\n',
    },
    {
      why: "a browser keeps ten permissions at most",
      find: "  for (const name of others.slice(0, -(MAX_COOKIES - 1))) deleteCookie(c, name, { path });\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/summary.ts", APPROVE, [
    { why: "no picture of another workload is shown", find: "!isArtifactOf(workload, picture) || ", replace: "" },
    { why: "a picture is a PNG or a JPEG", find: " || !/\\.(png|jpg)$/.test(picture)", replace: "" },
    {
      why: "a summary has a limit of bytes",
      find: "  if (bytes.length > MAX_SUMMARY_BYTES) throw",
      replace: "  if (false) throw",
    },
  ]),
  ...mutationsOf("functions/approve/load.ts", APPROVE, [
    {
      why: "findings are those of the digest",
      find: "    digestOf(key) === review.digest && findings.gate",
      replace: "    findings.gate",
    },
    { why: "findings are those of the gate", find: "findings.gate === review.gate && ", replace: "" },
    { why: "findings are those of the workload", find: " && findings.workload.uid === workload.uid;", replace: ";" },
    {
      why: "what is wrong with a summary is shown in its place",
      find: "    if (!(error instanceof TerminalError)) throw error;\n    const problem",
      replace: "    throw error;\n    const problem",
    },
    {
      why: "a problem's sentence has a limit",
      find: "problem.length > MAX_PROBLEM ? `${problem.slice(0, MAX_PROBLEM)}…` : problem",
      replace: "problem",
    },
  ]),
  ...mutationsOf("functions/approve/index.ts", APPROVE, [
    {
      why: "a Broker gets no body, which it would take for an event",
      find: "  return c.body(null, status);\n}",
      replace: "  return c.text(message, status);\n}",
    },
    {
      why: "a decision by event needs a permission",
      find: '    if ("status" in admitted) return refuse(c, admitted);\n',
      replace: "",
    },
    {
      why: "an event has a limit of bytes",
      find: 'app.post("/", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), ',
      replace: 'app.post("/", ',
    },
  ]),
  ...mutationsOf("functions/approve/event.ts", APPROVE, [
    { why: "no other event decides", find: "  if (type !== REVIEW_DECIDED) return", replace: "  if (false) return" },
  ]),
  ...mutationsOf("lib/edges/reviews/workload.ts", STATUS, [
    {
      why: "a decision is on the findings of its review",
      find: "if (review.digest !== decision.digest) return",
      replace: "if (false) return",
    },
    { why: "a review is decided once", find: "if (standing) return", replace: "if (false) return" },
    {
      why: "nobody decides on a run that has ended",
      find: "if (why !== undefined) return",
      replace: "if (false) return",
    },
    {
      why: "a run that was stopped waits for nobody",
      find: 'if ((spec as { stop?: unknown }).stop === true) return "somebody stopped the run";',
      replace: "",
    },
    {
      why: "a workload that is being deleted waits for nobody",
      find: 'if (metadata.deletionTimestamp !== undefined) return "the workload is being deleted";',
      replace: "",
    },
    {
      why: "a run that has ended waits for nobody",
      find: "return finishedAt === undefined ? undefined : `the run ended (${phase})`;",
      replace: "return undefined;",
    },
    {
      why: "a review that was decided in time is not one that nobody decided",
      find: "ended !== undefined && review.decision === undefined",
      replace: "ended !== undefined",
    },
    {
      why: "a decision is written on what was seen, or looked at again",
      find: 'if ((await workloads.putStatus(object, decided)) === "written") return',
      replace: "await workloads.putStatus(object, decided);\n        if (true) return",
    },
    {
      why: "a decision is on the gate's latest review",
      find: "all.findLastIndex(({ gate }) => gate === decision.gate)",
      replace: "all.findIndex(({ gate }) => gate === decision.gate)",
    },
    {
      why: "a decision changes its own review only",
      find: "reviews: all.with(at, { ...review, ...decision })",
      replace: "reviews: all.map((one) => ({ ...one, ...decision }))",
    },
    {
      why: "what this version does not know of a status stays",
      find: "z.looseObject({",
      replace: "z.object({",
    },
  ]),
  ...mutationsOf("lib/edges/reviews/folder.ts", APPROVE, [
    {
      why: "on one machine a decision is on the findings of its review",
      find: "if (record.review.digest !== decision.digest) return",
      replace: "if (false) return",
    },
    {
      why: "on one machine a review is decided once",
      find: "await link(draft, file);",
      replace: "await rename(draft, file);",
    },
    { why: "no name leads out of the folder", find: "  if (!NAME.test(name)) throw", replace: "  if (false) throw" },
    { why: "the same findings again keep their review", find: "review: same ? opened : review", replace: "review" },
  ]),
];
