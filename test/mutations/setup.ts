import { type Mutation, mutationsOf } from "./mutation.ts";

const SECRETS = ["test/unit/setup-secrets.test.ts"];
const REMOVE = ["test/unit/setup-remove.test.ts"];
const PREFLIGHT = ["test/unit/preflight.test.ts"];
const GENERATOR = ["test/unit/chart.test.ts"];
const CHART = ["test/integration/chart.test.ts"];

/** What an installation makes, and takes away. */
export const SETUP_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("functions/setup/secrets.ts", SECRETS, [
    { why: "a Secret that is there stays as it is", find: "    if (found) return found;\n", replace: "" },
    {
      why: "the authority that clients know stays",
      find: 'if (!there.has("agentic-redis-ca")) {',
      replace: "{",
    },
    { why: "keys that are lost are not replaced unsaid", find: "    refuseLostKeys(there);\n", replace: "" },
    { why: "half a Secret is said", find: "  if (!value)\n", replace: "  if (false)\n" },
    {
      why: "a login that agents have is not replaced",
      find: 'agent?.["AWS_ACCESS_KEY_ID"] ?? random(10)',
      replace: "random(10)",
    },
    { why: "so with browsers", find: 'tokenOf(agent?.["BROWSER_URL"]) ?? random()', replace: "random()" },
    { why: "so with models", find: 'agent?.["LLM_API_KEY"] ?? `sk-${random()}`', replace: "`sk-${random()}`" },
  ]),
  ...mutationsOf("functions/setup/remove.ts", REMOVE, [
    {
      why: "Agents that others made stay",
      find: ", labelSelector: OF_RELEASE });",
      replace: " });",
    },
    {
      why: "reconcile outlives the Agents that it clears away after",
      find: '  for (const { metadata } of agents) await gone("Agent", kube.agents, metadata.name, patienceMs);\n',
      replace: "",
    },
    {
      why: "nobody makes Triggers while they go",
      find: '  await gone("Knative Service", kube.services, "reconcile", patienceMs);\n',
      replace: "",
    },
    {
      why: "one Trigger after the other",
      find: '    await gone("Trigger", kube.triggers, metadata.name, patienceMs);\n',
      replace: "",
    },
    {
      why: "what does not go is said",
      find: "    if (left <= 0)\n",
      replace: "    if (left <= 0) return;\n    if (false)\n",
    },
  ]),
  ...mutationsOf("functions/setup/preflight.ts", PREFLIGHT, [
    { why: "what is missing is no advice", find: 'state !== "missing"', replace: "true" },
    { why: "a controller that is down is none", find: "one && !one.ready ? [one] : []", replace: "false ? [one] : []" },
    {
      why: "half another Broker is none",
      find: "names.every((name) => deployments",
      replace: "names.some((name) => deployments",
    },
    { why: "another Broker needs no channel in memory", find: "broker === BROKER || ", replace: "true || " },
    { why: "an old API server is one", find: "Number(minor) >= MIN_MINOR", replace: "true" },
  ]),
  ...mutationsOf("scripts/chart/substitutions.ts", GENERATOR, [
    { why: "a substitution without its object is said", find: "  if (lost)\n", replace: "  if (false)\n" },
    {
      why: "a substitution without its place is said",
      find: "if (key === undefined || (",
      replace: "if ((",
    },
    {
      why: "an image without a value is said",
      find: "    if (!path)\n      throw",
      replace: "    if (false)\n      throw",
    },
  ]),
  ...mutationsOf("scripts/chart/template.ts", GENERATOR, [
    {
      why: "an object's text is no template",
      find: "escaped(stringify(object, STRINGIFY))",
      replace: "stringify(object, STRINGIFY)",
    },
    { why: "on is a text", find: ', compat: "yaml-1.1"', replace: "" },
  ]),
  ...mutationsOf("charts/agentic/templates/validate.yaml", CHART, [
    {
      why: "Kafka without its servers is refused",
      find: "(not .Values.broker.kafka.bootstrapServers)",
      replace: "false",
    },
    {
      why: "a channel under Kafka is refused",
      find: '(eq .Values.broker.class "Kafka") .Values.broker.channel',
      replace: "false false",
    },
    { why: "half a channel is refused", find: "and .Values.broker.channel (not", replace: "and false (not" },
    {
      why: "another namespace is refused",
      find: 'ne .Release.Namespace "agentic-system"',
      replace: 'eq .Release.Namespace "nowhere"',
    },
  ]),
];
