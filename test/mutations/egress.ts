import { type Mutation, mutationsOf } from "./mutation.ts";

const EGRESS = ["test/integration/egress.test.ts"];
const POLICY = ["test/unit/egress-policy.test.ts"];

/** What a page may reach. */
export const EGRESS_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf(
    "egress/address.ts",
    ["test/unit/egress-address.test.ts"],
    [
      {
        why: "an IPv4 address in an IPv6 one is judged as what it is",
        find: "ipaddr.process(text)",
        replace: "ipaddr.parse(text)",
      },
      { why: "only unicast addresses are public", find: '.range() !== "unicast"', replace: '.range() === "private"' },
      {
        why: "no page reaches the cluster's own addresses",
        find: "[...CLOUD_AGENTS, ...denied]",
        replace: "[...CLOUD_AGENTS]",
      },
      { why: "no page reaches a cloud's agent", find: "[...CLOUD_AGENTS, ...denied]", replace: "[...denied]" },
      {
        why: "of IPv6 only what is routed on the internet is public",
        find: 'return parsed.kind() === "ipv4" || parsed.match(GLOBAL_UNICAST);',
        replace: "return true;",
      },
      {
        why: "what is no address is not public",
        find: "  if (!ipaddr.isValid(text)) return false;\n",
        replace: "  if (!ipaddr.isValid(text)) return true;\n",
      },
    ],
  ),
  ...mutationsOf(
    "lib/edges/egress-client.ts",
    ["test/integration/egress-client.test.ts"],
    [
      {
        why: "a proxy that says nothing holds up no step that was stopped",
        find: "await unlessAborted(answer, either)",
        replace: "await answer",
      },
    ],
  ),
  ...mutationsOf(
    "scripts/deploy/network-policies.ts",
    ["test/unit/deploy-network-policies.test.ts"],
    [
      {
        why: "a cluster that tells no address of its API server does not open all of them",
        find: ".filter(({ to }) => to.length > 0)",
        replace: "",
      },
      {
        why: "the cluster's own ranges are not of the internet",
        find: "without(ipBlock, ranges.flatMap(cidrs))",
        replace: "ipBlock",
      },
      {
        why: "an exception is a part of its block",
        find: "return inner[1] > outer[1] && inner[0].match(outer[0], outer[1]);",
        replace: "return true;",
      },
    ],
  ),
  ...mutationsOf(
    "egress/usage.ts",
    ["test/unit/egress-usage.test.ts"],
    [
      {
        why: "a page that asks for any number of hosts fills nobody's memory",
        find: "hosts.size < MAX_NAMED",
        replace: "hosts.size >= 0",
      },
      {
        why: "a page that is refused any number of hosts fills nobody's memory",
        find: "refused.size < MAX_NAMED",
        replace: "refused.size >= 0",
      },
    ],
  ),
  ...mutationsOf("egress/policy.ts", POLICY, [
    { why: "a host is on the job's list", find: "  if (!hostAllowed(host, asked.allow))\n", replace: "  if (false)\n" },
    {
      why: "a name with a fixed address is on the job's list, too",
      find: "  if (!hostAllowed(host, asked.allow))\n",
      replace: "  if (!resolve.has(host) && !hostAllowed(host, asked.allow))\n",
    },
    {
      why: "80 and 443 are all there is, unless the list says more",
      find: "  if (!portAllowed(host, asked.port, asked.allow))\n",
      replace: "  if (false)\n",
    },
    {
      why: "a name without a dot is not looked up",
      find: 'if (isIP(host) === 0 && !host.includes("."))',
      replace: "if (false)",
    },
    {
      why: "no address of the host is private",
      find: "const hidden = addresses.find((candidate) => !isPublicAddress(candidate, denied));",
      replace: "const hidden = undefined;",
    },
    {
      why: "a private address among public ones is refused",
      find: "addresses.find((candidate) => !isPublicAddress(candidate, denied))",
      replace: "[address].find((candidate) => !isPublicAddress(candidate, denied))",
    },
    {
      why: "the dot that ends an absolute name makes it no other name",
      find: '    .replace(/\\.$/, "");',
      replace: ";",
      tests: [...POLICY, ...EGRESS],
    },
    {
      why: "a name without an address is not connected to",
      find: '  if (address === undefined) return { reason: "HostNotFound", message: `no address is known for ${host}` };\n',
      replace: "",
    },
    {
      why: "the port that was asked for is the one that is connected to",
      find: "return { address, port: asked.port };",
      replace: "return { address, port: 80 };",
    },
    {
      why: "a name server that is away is not a name that does not exist",
      find: 'code === "ENOTFOUND" || code === "ENODATA"',
      replace: "true",
    },
  ]),
  ...mutationsOf("egress/proxy.ts", EGRESS, [
    {
      why: "a token is for one job",
      find: "if (claims?.jti !== username || ",
      replace: "if (claims === undefined || ",
    },
    {
      why: "a token that has expired is refused at once",
      find: " || claims.exp * 1000 <= Date.now())",
      replace: ")",
    },
    {
      why: "a tunnel ends with its token",
      find: "setTimeout(() => server.closeConnection(connectionId), claims.exp * 1000 - Date.now()).unref()",
      replace: "setTimeout(() => undefined, 1)",
    },
    {
      why: "a job that has had its bytes gets no more",
      find: "if (ledger.bytesOf(username) >= maxJobBytes)\n",
      replace: "if (false)\n",
    },
    {
      why: "the tunnels of a job that has had its bytes are closed",
      find: "if (ledger.bytesOf(job) >= maxJobBytes) server.closeConnection(id);",
      replace: "",
    },
    {
      why: "a token is verified",
      find: "const claims = await verify(password).catch(() => undefined);",
      replace: 'const claims = JSON.parse(Buffer.from(password.split(".")[1] ?? "", "base64url").toString());',
    },
    {
      why: "the address that was judged is the one that is connected to",
      find: '      request.url = pinned(request.url ?? "", decision, isHttp);\n',
      replace: "",
    },
    {
      why: "a refusal is counted for its job",
      find: "const isFirst = ledger.refuse(username, hostname, reason);",
      replace: "const isFirst = true;",
    },
    {
      why: "a page that asks again and again fills no audit",
      find: "        if (isFirst)\n",
      replace: "        if (isFirst || true)\n",
      tests: ["test/integration/audit.test.ts"],
    },
    {
      why: "whoever shows no token is asked for one",
      find: 'if (!username) return { requestAuthentication: true, failMsg: "give the step\'s identity and its egress token" };',
      replace: "",
    },
    {
      why: "a token that was verified is verified again after a minute",
      find: "max: MAX_VERIFIED, ttl: VERIFIED_MS",
      replace: "max: MAX_VERIFIED",
    },
  ]),
];
