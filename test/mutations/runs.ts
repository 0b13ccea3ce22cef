import { type Mutation, mutationsOf } from "./mutation.ts";

const LOCAL = ["test/integration/runs-local.test.ts"];
const BROWSER = ["test/integration/runs-browser.test.ts"];

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
  ...mutationsOf("functions/runs/run.ts", LOCAL, [
    {
      why: "a status of another version hides no other run",
      find: "statusSchema.safeParse(status)",
      replace: "{ data: statusSchema.parse(status), success: true }",
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
];
