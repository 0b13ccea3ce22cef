import { type Mutation, mutationsOf } from "./mutation.ts";

const LOCAL = ["test/integration/runs-local.test.ts"];
const BROWSER = ["test/integration/runs-browser.test.ts"];
const CLUSTER = ["test/integration/runs.test.ts"];

/** Who sees runs, and how much of this process and of the API server that takes. */
export const RUNS_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("cli/kubectl/runs-page.ts", LOCAL, [
    {
      why: "no name that somebody made lead to this machine opens the pages",
      find: '    if (!/^127\\.0\\.0\\.1(:\\d+)?$/.test(c.req.header("host") ?? "")) return c.text("Open it by 127.0.0.1.", 421);\n',
      replace: "",
    },
    {
      why: "nobody guesses the pages' address",
      find: '`/${randomBytes(32).toString("base64url")}`',
      replace: '""',
    },
  ]),
  ...mutationsOf("functions/runs/pages.ts", CLUSTER, [
    {
      why: "the list has the runs of those namespaces only that its reader may list",
      find: "runs.filter(({ metadata }) => may.has(metadata.namespace))",
      replace: "runs",
    },
    {
      why: "a run is shown to those only who may read it",
      find: "      if (!(await reader.mayRead(ref))) return undefined;\n",
      replace: "",
    },
    {
      why: "the list is for somebody who is known",
      find: "    if (!reader) return deps.refuse(c);\n    const shown = await seen(list, reader);",
      replace:
        '    const shown = await seen(list, reader ?? { name: "", mayList: async (all) => all, mayRead: async () => true });',
    },
    {
      why: "a run's page is for somebody who is known",
      find: "    if (!reader) return deps.refuse(c);\n    const shown = await seen(one(c), reader);",
      replace:
        '    const shown = await seen(one(c), reader ?? { name: "", mayList: async (all) => all, mayRead: async () => true });',
    },
    {
      why: "HEAD of a stream holds no place",
      find: '    if (c.req.method === "HEAD") return c.body(null, 405, { allow: "GET" });\n',
      replace: "",
    },
    { why: "no page is kept by a cache", find: '    c.header("cache-control", "no-store");\n', replace: "" },
    {
      why: "a page that was read gives its view back, so that the watch ends",
      find: "    } finally {\n      viewer.close();\n    }",
      replace: "    } finally {\n    }",
      tests: LOCAL,
    },
  ]),
  ...mutationsOf("functions/runs/page/live.ts", LOCAL, [
    {
      why: "no script but the page's own runs",
      find: "    scriptSrc: [hashOf(SCRIPT)],\n",
      replace: "    scriptSrc: [\"'unsafe-inline'\"],\n",
    },
    { why: "a page loads nothing", find: "    defaultSrc: [\"'none'\"],\n", replace: "" },
    { why: "no other page frames it", find: "    frameAncestors: [\"'none'\"],\n", replace: "" },
    {
      why: "what did not change is not sent again",
      find: "blocks.filter(({ id, html: now }) => before.get(id) !== now)",
      replace: "blocks.filter(() => true)",
    },
    {
      why: "what did not change keeps the focus",
      find: "  for (const node of [...live.children])\n    if (!order.includes(node.id)) {\n      shown.delete(node.id);\n      node.remove();\n    }\n",
      replace: "",
      tests: BROWSER,
    },
    {
      why: "a page that is not seen asks nothing",
      find: '  if (document.hidden) state.textContent = "Paused";\n  else connect();',
      replace: "  connect();",
      tests: BROWSER,
    },
  ]),
  ...mutationsOf("functions/runs/page/list.ts", CLUSTER, [
    { why: "a page has a limit of runs", find: ".slice(0, MAX_SHOWN)", replace: "" },
  ]),
  ...mutationsOf("functions/runs/run.ts", LOCAL, [
    {
      why: "a status of another version hides no other run",
      find: "statusSchema.safeParse(status)",
      replace: "{ data: statusSchema.parse(status), success: true }",
    },
  ]),
  ...mutationsOf("functions/runs/stream.ts", CLUSTER, [
    { why: "streams have a limit", find: "all >= streams || ", replace: "" },
    { why: "streams of one reader have a limit", find: " || own >= streamsOfReader", replace: "" },
    { why: "a stream that ended gives its place back", find: "            giveBack();\n", replace: "" },
    {
      why: "a stream is for somebody who is known",
      find: "  if (!reader) return c.body(null, 401);\n",
      replace: "  if (!reader) return c.body(null, 200);\n",
    },
    {
      why: "a stream asks again who reads",
      find: "const now = await readerOf(c);",
      replace: "const now = reader;",
    },
    {
      why: "a stream asks again what its reader may",
      find: "      if (hasChanged) done();\n    }, limits.recheckMs);",
      replace: "      if (hasChanged) done();\n    }, 60_000);",
    },
    { why: "a stream ends in time", find: ", AbortSignal.timeout(limits.lifeMs)]", replace: "]" },
    { why: "a stream ends when its process drains", find: "[gone.signal, draining, ", replace: "[gone.signal, " },
    {
      why: "a client that does not read fills no memory",
      find: "(controller.desiredSize ?? 0) > 0;",
      replace: "true;",
    },
    {
      why: "a client that does not read keeps no connection",
      find: '            else controller.error(new Error("the client does not read"));\n',
      replace: "            else controller.close();\n",
    },
    {
      why: "what changes elsewhere makes no sound",
      find: "              if (update) {\n",
      replace: '              if (!update) send(":\\n\\n");\n              else {\n',
    },
    {
      why: "a stream is seen alive by proxies",
      find: '          if (reads()) send(":\\n\\n");\n',
      replace: "",
    },
    {
      why: "changes that come together are one",
      find: "    if (hasChanged) await until(() => undefined, limits.gatherMs);\n",
      replace: "",
    },
    {
      why: "a connection that drained stays open for no next request",
      find: '    connection: "close",\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/runs/feed.ts", LOCAL, [
    {
      why: "nobody who looks, nothing watched",
      find: "        idle = setTimeout(stop, times.lingerMs).unref();\n",
      replace: "",
    },
    {
      why: "what is old is said to be old",
      find: "        since ??= begun;\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/edges/kube-watch.ts", LOCAL, [
    {
      why: "a watch that cannot go on lists anew",
      find: "        last = undefined;\n",
      replace: "",
    },
    {
      why: "all pages of a list are read",
      find: "    } while (next && !signal.aborted);",
      replace: "    } while (false);",
    },
  ]),
  ...mutationsOf("lib/edges/kube-permissions.ts", CLUSTER, [
    {
      why: "a token for the API server opens nothing here",
      find: " || !status.audiences?.includes(audience)",
      replace: "",
    },
    {
      why: "a token that the API server refuses opens nothing",
      find: "!status?.authenticated || ",
      replace: "",
      equivalent: "a token that is refused has no audiences either",
    },
    { why: "a right that is refused is none", find: "asked.status?.allowed === true && ", replace: "" },
  ]),
  ...mutationsOf("functions/runs/readers.ts", CLUSTER, [
    { why: "a token has a limit of bytes", find: "    if (token.length > MAX_TOKEN) return undefined;\n", replace: "" },
    {
      why: "what the API server said of a token is forgotten",
      find: "({ max: 2000, ttl: times.allowedMs })",
      replace: "({ max: 2000 })",
    },
    {
      why: "a right that was given is asked for again",
      find: "      if (allowed) rights.set(key, Promise.resolve(true), { ttl: times.allowedMs });\n",
      replace: "",
      tests: ["test/unit/runs/readers.test.ts"],
    },
    {
      why: "an answer that failed is none",
      find: "  asked.catch(() => cache.delete(key));\n",
      replace: "  asked.catch(() => undefined);\n",
      tests: ["test/unit/runs/readers.test.ts"],
    },
    {
      why: "one token is asked about once, however many requests bring it",
      find: "  if (known) return known;\n",
      replace: "",
      tests: ["test/unit/runs/readers.test.ts"],
    },
    {
      why: "many strangers' tokens do not pile up",
      find: "    if (inTurn.pendingCount >= MAX_WAITING)\n",
      replace: "    if (false)\n",
      tests: ["test/unit/runs/readers.test.ts"],
    },
  ]),
  ...mutationsOf("functions/runs/sign-in.ts", CLUSTER, [
    { why: "no script reads the token", find: "httpOnly: true, ", replace: "" },
    { why: "no other page's request carries the token", find: 'sameSite: "Strict", ', replace: "" },
    {
      why: "the token goes over https only, where the page does",
      find: ', secure: schemeOf(c) === "https"',
      replace: "",
    },
    { why: "signing in leads to no other page", find: "isOwn(base, to) ? to : base", replace: "true ? to : base" },
    {
      why: "no other page signs anybody in or out",
      find: ", csrf({ origin: (origin, c) => origin === originOf(c) })",
      replace: "",
    },
    {
      why: "a form has a limit of bytes",
      find: ", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge })",
      replace: "",
    },
    {
      why: "a token that is wrong sets no cookie",
      find: "    if (!reader) return refuse(c, ",
      replace: "    if (!reader && !given) return refuse(c, ",
    },
    {
      why: "who is refused is logged",
      find: 'auditDenied(log, c, "InvalidToken");',
      replace: "void log;",
    },
  ]),
];
