import { type Mutation, mutationsOf } from "./mutation.ts";

const BROWSER = ["test/integration/browser.test.ts"];
const POOL = ["test/unit/browser-pool.test.ts"];
const DRAIN = ["test/integration/browser-drain.test.ts"];
const SECCOMP = ["test/unit/seccomp.test.ts"];

/** What a page finds around it. */
export const BROWSER_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/edges/browser-pool.ts", POOL, [
    {
      why: "the pool's browsers run with Chrome's own sandbox",
      find: 'const UNWANTED = ["--no-sandbox"];',
      replace: "const UNWANTED: string[] = [];",
    },
    {
      why: "the pool's pages are as large as their contexts say",
      find: "    defaultViewport: null,\n",
      replace: "",
    },
    {
      why: "the pool's browsers reach the egress proxy only",
      find: "chromiumFlags([new URL(egressProxy).hostname])",
      replace: "chromiumFlags([new URL(egressProxy).hostname, new URL(browserUrl).hostname])",
    },
  ]),
  ...mutationsOf("config/browserless.yaml", DRAIN, [
    { why: "a pod of the pool that goes ends its sessions first", find: "pressure.running + ", replace: "" },
    { why: "a pod of the pool that goes serves who waits in it", find: " + pressure.queued", replace: "" },
    {
      why: "a pod of the pool that goes still gets sessions for a moment",
      find: "sleep(5000)",
      replace: "sleep(50)",
    },
  ]),
  ...mutationsOf(
    "scripts/deploy/deploy.ts",
    ["test/unit/deploy-optional.test.ts"],
    [
      {
        why: "a cluster without KEDA is not given its kinds",
        find: '(scaled || !apiVersion.startsWith("keda.sh/"))',
        replace: "true",
      },
      {
        why: "a Knative that asks no publishers is given no EventPolicies",
        find: '(authenticated || kind !== "EventPolicy")',
        replace: "true",
      },
    ],
  ),
  ...mutationsOf("lib/edges/chromium-flags.ts", POOL, [
    {
      why: "what bypasses the proxy finds nothing",
      find: 'const rules = ["MAP * ~NOTFOUND", ',
      replace: "const rules = [",
    },
    { why: "nothing of a page goes by UDP", find: '  "--disable-quic",\n', replace: "" },
  ]),
  ...mutationsOf("lib/edges/browser.ts", BROWSER, [
    {
      why: "a step that is to stop waits for no browser",
      find: "await unlessAborted(taking, signal).catch(",
      replace: "await taking.catch(",
    },
    {
      why: "a context that comes after its step has stopped is given back",
      find: "void taking.then(close, () => undefined);",
      replace: "",
    },
    {
      why: "what pages leave behind in a browser goes with it",
      find: "lent >= limits.contexts;",
      replace: "lent < 0;",
    },
    {
      why: "a browser that is replaced stays until its last context is closed",
      find: "    if (shared.open > 0) return;\n",
      replace: "",
    },
    {
      why: "a browser that was replaced ends",
      find: "if (isWorn(shared)) await disconnect(shared);\n    else",
      replace: "",
    },
    {
      why: "a browser that nobody uses is given back",
      find: "    shared.idle = setTimeout(() => void disconnect(shared), limits.idleMs).unref();\n",
      replace: "",
    },
    {
      why: "a browser that is used again is not given back",
      find: "    clearTimeout(shared.idle);\n",
      replace: "",
    },
    {
      why: "a pool that is full is not pressed",
      find: " || (cause instanceof RetryableError && cause.reason === POOL_FULL);",
      replace: ";",
    },
  ]),
  ...mutationsOf("lib/edges/chromium.ts", BROWSER, [
    {
      why: "nobody but its owner reaches a local browser",
      find: "const starting = start(directory, options);",
      replace: 'const starting = start(directory, options, "--remote-debugging-port=0");',
    },
    {
      why: "a local browser has Chrome's own sandbox, unless this is root",
      find: "process.getuid?.() === 0;",
      replace: "true;",
    },
    {
      why: "what was stopped does not start again",
      find: '    async open() {\n      if (stopped) throw unavailable("it was stopped");\n',
      replace: "    async open() {\n",
    },
    {
      why: "a browser that starts while all are stopped does not outlive them",
      find: "await Promise.allSettled(piped);",
      replace: "await Promise.allSettled([] as Promise<Started>[]);",
    },
    {
      why: "a browser's profile is gone when it has ended",
      find: "        rm(started.profile, REMOVE).catch(() => undefined);\n",
      replace: "",
    },
  ]),
  ...mutationsOf("scripts/seccomp.ts", SECCOMP, [
    {
      why: "no mount namespaces for whoever is in the pool's pods",
      find: 'allow("clone", masked(0, REFUSED_NAMESPACES, 0))',
      replace: 'allow("clone")',
    },
    {
      why: "a user namespace is all that unshare makes",
      find: 'allow("unshare", equals(0, CLONE_NEWUSER))',
      replace: 'allow("unshare")',
    },
    {
      why: "netlink is for routes only",
      find: "equals(0, AF.NETLINK), equals(2, NETLINK_ROUTE)",
      replace: "equals(0, AF.NETLINK)",
    },
    {
      why: "no raw sockets",
      find: "equals(0, family), masked(1, SOCK_TYPE_MASK, type)",
      replace: "equals(0, family)",
    },
    {
      why: "what is taken away is in the base",
      find: "if (unknown.length > 0) throw",
      replace: "if (false) throw",
    },
  ]),
  ...mutationsOf("config/seccomp/install.ts", SECCOMP, [
    { why: "no node gets what is no profile", find: "  JSON.parse(profile);\n", replace: "" },
    {
      why: "a profile that somebody changed is put right",
      find: "if (contentOf(target) === profile) return false;",
      replace: "if (contentOf(target) !== undefined) return false;",
    },
  ]),
];
