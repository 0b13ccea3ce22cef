import { type Mutation, mutationsOf } from "./mutation.ts";

const SHOWN = ["test/integration/scrape-access.test.ts"];
const RECONCILED = ["test/unit/reconcile/host-access.test.ts"];

/** What a namespace holds for single hosts: who gets it, where it goes, and that it is kept nowhere. */
export const ACCESS_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf(
    "lib/host-access.ts",
    ["test/unit/host-access.test.ts"],
    [
      {
        why: "a step gets nothing that its pipeline does not ask for",
        find: "  if (!hostAccess) return undefined;\n",
        replace: "",
      },
      {
        why: "a problem quotes no key that stands there",
        find: 'typeof part === "number" || PARTS.has(part)',
        replace: "true",
      },
      { why: "an agent does not pass for somebody else", find: "|user-agent|", replace: "|" },
      { why: "the connection's headers are its own", find: "|transfer-encoding|", replace: "|" },
      {
        why: "a header's name is one",
        find: "Object.keys(headers).every((name) => TOKEN.test(name))",
        replace: "true",
      },
      { why: "a proxy is spoken to as it says", find: 'url?.protocol === "http:" &&', replace: "url !== null &&" },
      { why: "a proxy's address fits into a header", find: ".max(512", replace: ".max(512_000" },
      { why: "a key is the exact name of a host", find: "    if (!isHost(host))", replace: "    if (false)" },
    ],
  ),
  ...mutationsOf(
    "cli/host-access-file.ts",
    ["test/unit/host-access.test.ts"],
    [
      { why: "a file is read by its owner only", find: "(mode & OTHERS) !== 0", replace: "false" },
      {
        why: "a line that is no YAML is not quoted",
        find: 'line ${error.linePos?.[0].line ?? "?"} is neither',
        replace: "${error.message} is neither",
      },
    ],
  ),
  ...mutationsOf(
    "lib/sealed-access.ts",
    ["test/unit/sealed-access.test.ts"],
    [
      { why: "what is sealed is for one step", find: "payload.jti === jti ?", replace: "true ?" },
      {
        why: "each agent has a key of its own",
        find: "`${AGENT_AUDIENCE}/${holder}`",
        replace: "AGENT_AUDIENCE",
      },
      { why: "proxies are not the agent's", find: "{ proxy: _proxy, ...own }", replace: "own" },
      {
        why: "it ends with the tokens beside it",
        find: "    .setExpirationTime(expiresAt)\n",
        replace: "",
      },
    ],
  ),
  ...mutationsOf(
    "engine/check.ts",
    ["test/unit/crd.test.ts"],
    [
      { why: "a gate is shown nothing", find: '"previous", "hostAccess"] as const', replace: '"previous"] as const' },
      {
        why: "what has no effect is refused",
        find: "step.hostAccess && !step.gate && !step.egress?.item",
        replace: "false",
      },
    ],
  ),
  ...mutationsOf(
    "lib/agent-app.ts",
    ["test/unit/agent-app.test.ts"],
    [
      {
        why: "a step that is to show something does not go on without",
        find: "Object.keys(kinds).length === 0 ? {} :",
        replace: 'hostAccess === "" ? {} :',
      },
    ],
  ),
  ...mutationsOf("functions/reconcile/workload/progress.ts", RECONCILED, [
    {
      why: "what is held wrongly for a host fails the items of that host",
      find: '  if (!("problem" in hostAccess)) return',
      replace: "  if (true) return",
    },
    {
      why: "a host with a proxy is not asked without",
      find: '"problem" in found || usesProxies) return found;',
      replace: '"problem" in found || true) return found;',
    },
    {
      why: "what a namespace holds is read when a request is to be sent",
      find: "return isUnderWay({ ...view, work }) ?",
      replace: "return false ?",
    },
  ]),
  ...mutationsOf("functions/scrape/show-access.ts", SHOWN, [
    {
      why: "headers go to exactly the hosts that they are for",
      tests: ["test/unit/show-access.test.ts"],
      find: "Object.hasOwn(access, asked.hostname)",
      replace: "Object.keys(access).some((host) => asked.hostname.endsWith(host))",
    },
    {
      why: "a page that has left for another host is shown nothing",
      find: "mayBeShown && !hasLeft &&",
      replace: "mayBeShown &&",
    },
    {
      why: "a redirect is no page that has been left for",
      find: "isMain && isDocument(answer) && !mayBeShown",
      replace: "isMain && !mayBeShown",
    },
    {
      why: "without TLS nothing is shown where the page was asked for with it",
      tests: ["test/unit/show-access.test.ts"],
      find: 'page.protocol === "https:" && asked.protocol !== "https:"',
      replace: "false",
    },
    { why: "a cookie is read by no script", find: "httpOnly: true", replace: "httpOnly: false" },
    { why: "a cookie stays with its host", find: "domain: host, httpOnly", replace: "domain: `.${host}`, httpOnly" },
  ]),
  ...mutationsOf("functions/scrape/without-access.ts", SHOWN, [
    {
      why: "what a page says again is not kept",
      find: "values.reduce((left, value) => left.replaceAll(value, IN_PLACE), text)",
      replace: "text",
    },
    {
      why: "a token is not kept without the word before it",
      find: ".flatMap((value) => [value, ...value.split(/\\s+/)])",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/scrape/graph.ts", SHOWN, [
    {
      why: "an error quotes nothing of it",
      find: "throw errorWithoutAccess(error, hostAccess);",
      replace: "throw error;",
    },
  ]),
  ...mutationsOf(
    "egress/upstream.ts",
    ["test/integration/egress-upstream.test.ts"],
    [
      {
        why: "a proxy that cannot be read is no reason to go without",
        find: '  if (!proxies) return { reason: "ProxyUnreadable", message: "the token\'s proxies cannot be decrypted" };\n',
        replace: "  if (!proxies) return undefined;\n",
      },
      {
        why: "a proxy's address is judged as a target's",
        find: '  if ("reason" in target)\n',
        replace: '  if ("reason" in target) return { url: url.href };\n  if ("reason" in target)\n',
      },
    ],
  ),
];
