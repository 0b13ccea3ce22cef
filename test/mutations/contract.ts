import { type Mutation, mutationsOf } from "./mutation.ts";

const AGENT_APP = ["test/unit/agent-app.test.ts"];
const TOKEN = ["test/unit/token.test.ts", ...AGENT_APP];

/** The step contract: tokens, events, what an agent refuses. */
export const CONTRACT_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/token.ts", TOKEN, [
    {
      why: "a token names the key that signed it",
      find: '.setProtectedHeader({ alg: "EdDSA", kid })',
      replace: '.setProtectedHeader({ alg: "EdDSA" })',
    },
    {
      why: "a token is for one audience",
      find: "const options = { audience, algorithms",
      replace: "const options = { algorithms",
    },
    {
      why: "a token is signed by EdDSA",
      find: 'algorithms: ["EdDSA"], ...',
      replace: "...",
      equivalent: "the verifier has an Ed25519 public key, with which jose verifies nothing but EdDSA",
    },
    {
      why: "a token expires",
      find: "...(evenExpired ? { currentDate: new Date(0) } : {})",
      replace: "currentDate: new Date(0)",
    },
    {
      why: "a dead letter's token counts after its end",
      find: "...(evenExpired ? { currentDate: new Date(0) } : {})",
      replace: "",
    },
    {
      why: "the egress proxy's token says nothing but the allow-list",
      find: "sign({ jti, allow, ...(via",
      replace: "sign({ ...claims, ...(via",
    },
    { why: "a token has an end", find: "      .setExpirationTime(expiresAt)\n", replace: "" },
    { why: "a token has the claims of a step", find: "return schema.parse(payload);", replace: "return payload as T;" },
  ]),
  ...mutationsOf(
    "lib/edges/broker.ts",
    ["test/integration/broker.test.ts"],
    [
      {
        why: "the Broker is told who publishes",
        find: "headers: { ...(headers as Record<string, string>), ...authorization },",
        replace: "headers: headers as Record<string, string>,",
      },
      {
        why: "without its token nothing is published",
        find: 'throw unavailable(url, String(cause), "BROKER_TOKEN_FILE names the file with the token for it", cause);',
        replace: 'return "";',
      },
      {
        why: "who may not publish is told so",
        find: "    if (response.status === 401 || response.status === 403)\n      throw unavailable(url, `HTTP ${response.status}`, PERMITTED);\n",
        replace: "",
      },
      {
        why: "an event that the Broker did not take is sent again",
        find: "    if (!response.ok) throw unavailable(url, `HTTP ${response.status}`, READY);\n",
        replace: "",
      },
    ],
  ),
  ...mutationsOf("lib/agent-app.ts", AGENT_APP, [
    { why: "a token is for one step", find: "claims.jti !== identity || ", replace: "" },
    {
      why: "a token is for one workload",
      find: "claims.sub !== request.workload.uid || ",
      replace: "",
      equivalent: "the identity covers the workload's uid, so that a token of another workload has another jti",
    },
    { why: "a token is for one run", find: " || claims.run !== request.run)", replace: ")" },
    {
      why: "a request has a limit of bytes",
      find: "bodyLimit({ maxSize: MAX_EVENT_BYTES, onError: tooLarge }), ",
      replace: "",
    },
    { why: "a hint runs nothing", find: "    if (HINTS.has(event.type)) return c.body(null, 200);\n", replace: "" },
    { why: "an agent that drains is not ready", find: "deps.draining.aborted ? 503 : 200", replace: "200" },
    { why: "the deadline is the one that was signed", find: "new Date(claims.deadline)", replace: "new Date(0)" },
  ]),
  ...mutationsOf("lib/step-events.ts", AGENT_APP, [
    {
      why: "a token is worth nothing for another input",
      find: "  if (identity !== event.id)\n",
      replace: "  if (false)\n",
      equivalent:
        "the token is that of the content's identity (lib/agent-app.ts, reconcile/index.ts): this says what is wrong",
    },
    {
      why: "an agent reads a request of a later version",
      find: "const requestSchema = z.object({",
      replace: "const requestSchema = z.strictObject({",
    },
    {
      why: "an agent takes requests of steps only",
      find: "  if (event.type !== STEP_REQUESTED)\n    throw",
      replace: "  if (false)\n    throw",
    },
  ]),
  ...mutationsOf(
    "lib/events.ts",
    ["test/unit/events.test.ts"],
    [
      {
        why: "an event has an id of its own",
        find: '    if (!attribute(headers, body, "id")) throw new TypeError("it has no id");\n',
        replace: "",
      },
      {
        why: "an event is of the version that is read",
        find: 'if (version !== "1.0")',
        replace: "if (false)",
      },
      {
        why: "a batch of events is refused",
        find: '    if (Array.isArray(parsed)) throw new TypeError("a batch of events, where one is expected");\n',
        replace: "",
        equivalent: "an array has no type, and CloudEvent refuses it: this says what is wrong",
      },
    ],
  ),
  ...mutationsOf(
    "lib/error-response.ts",
    [...AGENT_APP, "test/unit/reconcile/app.test.ts"],
    [
      { why: "a bad token is said to be one", find: 'error.reason === "InvalidToken" ? 401 : 400', replace: "400" },
      {
        why: "a defect of ours is delivered again",
        find: "  return { status: 503, retryAfterSeconds: 5 };",
        replace: "  return { status: 400 };",
      },
    ],
  ),
  ...mutationsOf(
    "lib/step-claims.ts",
    ["test/unit/step-claims.test.ts"],
    [
      {
        why: "a token carries the step's own retry limit",
        find: "retryLimit: retryLimitOf(run, step)",
        replace: "retryLimit: run.retryLimit",
      },
      {
        why: "a token carries the step's own allow-list",
        find: "allow: allowListFor(step, item, run.egressAllow)",
        replace: "allow: [...run.egressAllow]",
      },
      {
        why: "a token carries the budget",
        find: "    ...(run.budgetUsd === undefined ? {} : { budgetUsd: run.budgetUsd }),\n",
        replace: "",
      },
    ],
  ),
  ...mutationsOf(
    "lib/allow-list.ts",
    ["test/unit/allow-list.test.ts"],
    [
      {
        why: "a step without egress reaches nothing",
        find: "  if (!egress) return [];\n",
        replace: "  if (!egress) return [...egressAllow];\n",
      },
      {
        why: "a step reaches no more than its workload allows",
        find: "egress.allow.flatMap((rule) => egressAllow.flatMap((other) => narrower(rule, other)))",
        replace: "egress.allow",
      },
      {
        why: "of two rules the narrower counts",
        find: "if (covers(other, one)) return [one];",
        replace: "if (covers(other, one)) return [other];",
      },
      {
        why: "a rule for subdomains covers no other name that ends so",
        find: "narrow.name.endsWith(wide.name.slice(1))",
        replace: "narrow.name.endsWith(wide.name.slice(2))",
      },
      {
        why: "two rules for other ports have nothing in common",
        find: "  if (wide.port !== narrow.port) return false;\n",
        replace: "",
      },
      {
        why: "a rule without a port stands for the web's",
        find: "rule.port === undefined ? WEB_PORTS.includes(port) : rule.port === port",
        replace: "rule.port === undefined || rule.port === port",
      },
      {
        why: "a rule with a port stands for that one",
        find: "rule.port === undefined ? WEB_PORTS.includes(port) : rule.port === port",
        replace: "WEB_PORTS.includes(port) || rule.port === port",
      },
      {
        why: "a rule for subdomains does not allow the domain itself",
        find: "name.endsWith(rule.slice(1)) && name.length >= rule.length",
        replace: "`.${name}`.endsWith(rule.slice(1))",
      },
      {
        why: "a subdomain has a name",
        find: "name.endsWith(rule.slice(1)) && name.length >= rule.length",
        replace: "name.endsWith(rule.slice(1))",
      },
      { why: "a plain rule allows one name", find: ": name === rule;", replace: ": name.endsWith(rule);" },
      {
        why: "a step without `item` does not reach its item's host",
        find: "  if (!egress.item) return egress.allow ? [...new Set(granted)] : [];\n",
        replace: "",
      },
    ],
  ),
  ...mutationsOf(
    "lib/config.ts",
    ["test/unit/config.test.ts", "test/unit/agent-env.test.ts"],
    [
      {
        why: "an agent by image gets settings with the prefix only",
        find: "name.startsWith(AGENT_PREFIX) && value",
        replace: "value",
      },
      { why: "an empty setting counts as not set", find: '.filter(([, value]) => value !== "")', replace: "" },
      {
        why: "LiteLLM's key goes to LiteLLM only",
        find: "(env.LLM_BASE_URL && env.LLM_API_KEY) || ",
        replace: "env.LLM_API_KEY || ",
      },
      {
        why: "without a key or an address there is no model",
        find: "  if (!env.OPENAI_API_KEY && !env.LLM_BASE_URL) return undefined;\n",
        replace: "",
      },
    ],
  ),
  ...mutationsOf(
    "scripts/deploy/digests.ts",
    ["test/integration/deploy-digests.test.ts"],
    [
      {
        why: "what a registry calls a digest is one",
        find: "return DIGEST.test(digest) ? { digest } : ",
        replace: "if (digest !== undefined) return { digest };\n    return ",
      },
      {
        why: "an answer that is none pins nothing",
        find: "if (answer.status !== 200) return { unknown: `its registry answers ${answer.status}` };\n",
        replace: "",
      },
      {
        why: "an image that is by digest already, or the node's own, stays",
        find: '!image.includes("@") && !image.startsWith("dev.local/")',
        replace: "true",
      },
    ],
  ),
];
