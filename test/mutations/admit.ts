import { type Mutation, mutationsOf } from "./mutation.ts";

const JUDGE = ["test/unit/admit/judge.test.ts"];
const AUDITED = ["test/integration/audit.test.ts"];
const CERTIFICATE = ["test/unit/admit/certificate.test.ts"];
const CONVERSION = ["test/unit/conversion.test.ts"];
const CONVERT = ["test/unit/admit/convert.test.ts"];
const ADDRESS = ["test/unit/engine/agent-address.test.ts"];

/** What `kubectl apply` is told, and by whom. */
export const ADMIT_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("engine/agent-address.ts", ADDRESS, [
    {
      why: "a tenant's Agent names no service of another namespace",
      find: "if (service?.namespace !== undefined && service.namespace !== namespace)",
      replace: "if (false)",
    },
    {
      why: "a tenant's Agent names no private host",
      find: "if (!isPrivateHost(host) && !(await isServiceName(host, isNamespace))) return [];",
      replace: "if (!(await isServiceName(host, isNamespace))) return [];",
    },
    {
      why: "a tenant's Agent names no service by a short name",
      find: "if (!isPrivateHost(host) && !(await isServiceName(host, isNamespace))) return [];",
      replace: "if (!isPrivateHost(host)) return [];",
    },
    { why: "an Agent names its own services", find: " || isServiceOf(namespace, host)", replace: "" },
    {
      why: "its own are those of its namespace",
      find: "Boolean(name) && of === namespace && ",
      replace: "Boolean(name) && ",
    },
    {
      why: "a name that ends otherwise is none of its own",
      find: '["", "svc", "svc.cluster.local"].includes(rest.join("."))',
      replace: "true",
    },
    { why: "a shared Agent names any", find: "  if (namespace === SHARED_NAMESPACE) return [];\n", replace: "" },
    { why: "an absolute name is looked up as it is", find: 'last !== "" && ', replace: "" },
  ]),
  ...mutationsOf("crd/conversion.ts", CONVERSION, [
    { why: "an object of a version that is none of ours is refused", find: "if (!from || !to)", replace: "if (!to)" },
    { why: "a version that is none of ours is not made", find: "if (!from || !to)", replace: "if (!from)" },
    {
      why: "a field below inputs is nobody's to rename",
      find: 'AgentWorkload: ["spec"],',
      replace: 'AgentWorkload: ["spec", "inputs"],',
    },
  ]),
  ...mutationsOf("functions/admit/conversion-review.ts", CONVERT, [
    {
      why: "one object that cannot be converted fails all",
      find: 'if ("problem" in converted) return review({ uid, result: { status: "Failure", message: converted.problem } });',
      replace: 'if ("problem" in converted) continue;',
    },
    {
      why: "what is no ConversionReview is refused",
      find: '  kind: z.literal("ConversionReview"),',
      replace: "  kind: z.string(),",
    },
  ]),
  ...mutationsOf("functions/admit/judge.ts", JUDGE, [
    { why: "an Agent's address is judged", find: "...(await addressProblems(agent, kube.isNamespace)), ", replace: "" },
    { why: "an Agent's schema is judged", find: ", ...(await agentProblems(agent.spec))", replace: "" },
    { why: "a pipeline is judged", find: "problemTexts(await pipelineProblems(pipeline.spec))", replace: "[]" },
    {
      why: "the status is not judged",
      find: 'metadata: { namespace, name: name ?? `${generateName ?? ""}00000` }, spec };',
      replace: "metadata, spec };",
    },
    { why: "a name may be made later", find: 'name ?? `${generateName ?? ""}00000`', replace: "name" },
  ]),
  ...mutationsOf("functions/admit/judge-quota.ts", JUDGE, [
    { why: "a suspended workload is taken", find: "  if (spec.suspend) return NOTHING;\n", replace: "" },
    {
      why: "one that has its place is told nothing",
      find: "knownIn(use, ({ name }) => name === metadata.name)",
      replace: "knownIn(use, () => false)",
    },
    {
      why: "one that waits for a person is told nothing",
      find: "if (!wait || (open && wait.reason === QUOTA_REASON.queued)) return NOTHING;",
      replace: "if (!wait) return NOTHING;",
    },
    {
      why: "what never starts is refused",
      find: "if (NEVER_STARTS.includes(wait.reason)) return { problems: [wait.message], warnings: [] };",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/admit/judge-workload.ts", JUDGE, [
    {
      why: "inputs are judged by the pipeline",
      find: "problemTexts(await workloadProblems(workload, found, new Set()))",
      replace: "[]",
    },
    {
      why: "a pipeline may come later",
      find: "return { problems: [], warnings: [found.message] };",
      replace: "return { problems: [found.message], warnings: [] };",
    },
    {
      why: "a workload without any pipeline is refused",
      find: '    if (found.reason === "InvalidSpec") return { problems: [found.message], warnings: [] };\n',
      replace: "",
    },
    {
      why: "the Agent of an image is made for it",
      find: "workload.spec.image === undefined ? await missingAgents(found, deps) : []",
      replace: "await missingAgents(found, deps)",
    },
    { why: "a gate that asks nobody does not wait", find: " && spec.review.required", replace: "" },
    { why: "a model's end is said in time", find: "now.getTime() + SOON_MS", replace: "now.getTime()" },
    {
      why: "a model that ends much later is not spoken of",
      find: "end && Date.parse(end.endsOn) < now.getTime() + SOON_MS",
      replace: "end",
    },
  ]),
  ...mutationsOf("functions/admit/admission-review.ts", JUDGE, [
    { why: "an object with a problem is refused", find: "allowed: problems.length === 0,", replace: "allowed: true," },
    { why: "a message has an end", find: "problems.slice(0, MAX_PROBLEMS)", replace: "problems" },
  ]),
  ...mutationsOf("functions/admit/index.ts", JUDGE, [
    {
      why: "what cannot be judged is not allowed in passing",
      find: "return c.text(error.message, 500);",
      replace: "return c.json({});",
    },
    {
      why: "a question has a size",
      find: 'app.post("/validate", limited, ',
      replace: 'app.post("/validate", ',
    },
    {
      why: "who was refused what is recorded",
      find: "if (problems.length > 0) auditRefused(deps.log, problems, object, parsed.data.request);\n    else ",
      replace: "if (problems.length === 0) ",
      tests: AUDITED,
    },
    {
      why: "who deleted what is recorded",
      find: "    auditLetIn(deps.log, request.operation, object, request);\n",
      replace: "",
      tests: AUDITED,
    },
  ]),
  ...mutationsOf("functions/admit/audit.ts", AUDITED, [
    { why: "what a dry run did not make is not said to be made", find: "if (!asked.dryRun) ", replace: "" },
  ]),
  ...mutationsOf("lib/certificate.ts", CERTIFICATE, [
    {
      why: "the server's certificate issues none",
      find: "new BasicConstraintsExtension(false, undefined, true)",
      replace: "new BasicConstraintsExtension(true, undefined, true)",
      equivalent: "its key usage, digitalSignature alone, lets it issue none either",
    },
    {
      why: "it is for its names",
      find: 'type: "dns" as const, value }',
      replace: 'type: "dns" as const, value: "other" }',
    },
    {
      why: "it has an end",
      find: "notAfter: new Date(now.getTime() + lifeMs)",
      replace: "notAfter: new Date(now.getTime() + 2 * lifeMs)",
    },
    {
      why: "of two authorities of one name the right one is found",
      find: "      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),\n",
      replace: "",
    },
    {
      why: "an authority of another kind is said as such",
      find: '    throw new TerminalError("UnusableAuthority", "the authority\'s key is no EC key on the curve P-256", { cause });',
      replace: "    throw cause;",
    },
  ]),
  ...mutationsOf("functions/admit/keep-certificate.ts", CERTIFICATE, [
    { why: "it is renewed before it ends", find: " && !isDue(current, now())", replace: "" },
    { why: "it is made once", find: "current && isTrusted(", replace: "false && current && isTrusted(" },
    { why: "the API server is told", find: "    await trust?.(`${bundle.trim()}\\n`);\n", replace: "" },
    {
      why: "the one before stays trusted",
      find: "return before ? { ...data, [KEYS.previousCa]: before.ca } : data;",
      replace: "return data;",
    },
    { why: "what clients do not trust is replaced", find: " && isTrusted(current.ca)", replace: "" },
    {
      why: "a Secret that is not there is said",
      find: "  if (!kept)\n",
      replace: "  if (!kept) return issue(now());\n  if (!kept)\n",
    },
    {
      why: "what is there counts, not what was made",
      find: "  return keepCertificate(deps);\n",
      replace: "  await trust?.(next.ca);\n  return next;\n",
    },
    {
      why: "a key of another certificate is none",
      find: "server.checkPrivateKey(createPrivateKey(key)) && ",
      replace: "",
    },
    {
      why: "an authority of another certificate is none",
      find: " && server.verify(new X509Certificate(ca).publicKey)",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/admit/keep-redis-certificate.ts", CERTIFICATE, [
    { why: "no certificate for a Redis that is not ours", find: "  if (!served) return;\n", replace: "" },
    {
      why: "a certificate from elsewhere stays",
      find: 'if (!known?.data["ca.key"]) {',
      replace: "if (!known) {",
    },
    {
      why: "a Redis that cannot start for want of a certificate is said",
      find: '    if (served.data["tls.crt"]) return;\n',
      replace: "    return;\n",
    },
    {
      why: "an authority that has ended signs nothing",
      find: '  if (ends <= now().getTime()) throw unusable(authority.name, "its certificate has expired");\n',
      replace: "",
    },
    {
      why: "the end of the authority is said in time",
      find: "if (ends - at.getTime() < WARN_MS)",
      replace: "if (false)",
    },
    {
      why: "what another authority signed is replaced",
      find: "isTrusted: (ca) => ca === signing.certificate,",
      replace: "",
    },
    {
      why: "the authority is the one of the key",
      find: "all.find((pem) => new X509Certificate(pem).checkPrivateKey(own))",
      replace: "all[0]",
    },
    {
      why: "an authority that cannot be read is said as such",
      find: '    throw unusable(name, "ca.crt or ca.key is no PEM", cause);',
      replace: "    throw cause;",
    },
  ]),
];
