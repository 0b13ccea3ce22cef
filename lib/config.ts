import { z } from "zod";

/** What is no JSON stays the text that it is, and is refused as no object. */
function asJson(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

/** Every setting of a function, from its environment. Nothing else reads the environment. */
const schema = z.object({
  /** A folder with a file for each variable that comes from a Secret: when one says something else, this process ends, to be started with it. */
  SECRETS_FOLDER: z.string().optional(),
  /** Which function this process is: one of those that compose.ts knows. */
  FUNCTION: z.string("is not set: it says which function this process is"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  HOST: z.string().default("0.0.0.0"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  /** OpenTelemetry's own variables: a receiver of OTLP over HTTP switches telemetry on. The SDK reads the others by itself. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: z.url().optional(),
  /** `otlp`: that receiver gets log lines, too. `none`: not even audit records. Absent: audit records only. */
  OTEL_LOGS_EXPORTER: z.enum(["otlp", "none"], 'expected "otlp" or "none"').optional(),
  OTEL_SDK_DISABLED: z.stringbool().optional(),
  /** OpenTelemetry's switch for what is said to models and what they answer, in its older form (true) and its newer one. */
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: z
    .string()
    .toLowerCase()
    .pipe(z.enum(["true", "false", "no_content", "span_only", "event_only", "span_and_event"]))
    .default("false")
    .transform((value) => ["true", "span_only", "span_and_event"].includes(value)),
  /** Langfuse's own variables: all three send spans there. Its SDK reads LANGFUSE_TRACING_ENVIRONMENT and LANGFUSE_RELEASE by itself. */
  LANGFUSE_PUBLIC_KEY: z.string().optional(),
  LANGFUSE_SECRET_KEY: z.string().optional(),
  LANGFUSE_BASE_URL: z.url().optional(),
  /** redis://, rediss:// or unix:// */
  REDIS_URL: z.string().default("redis://127.0.0.1:6379"),
  /** PEM of the authority that signs the certificate of rediss://; while authorities are replaced of both. Absent: public ones count. */
  REDIS_CA: z.string().optional(),
  /** `redis`: our saver, any Redis from 6.2 on. `redis-stack`: @langchain/langgraph-checkpoint-redis, Redis 8 with JSON and search. */
  CHECKPOINTS: z.enum(["redis", "redis-stack"]).default("redis"),
  /** LangGraph's limit on the steps of one graph, for agents that loop. */
  RECURSION_LIMIT: z.coerce.number().int().min(1).max(100_000).default(100),
  /**
   * file:///folder, or with S3_ENDPOINT, S3_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: s3://bucket, or s3://prefix-{namespace} for
   * a bucket of each namespace.
   */
  ARTIFACTS_URL: z.url().default("file:///tmp/agentic-artifacts"),
  S3_ENDPOINT: z.url().optional(),
  /** Reconcile's: where versitygw takes commands on its accounts. Absent: agents of all namespaces share one login to the object store. */
  S3_ADMIN_ENDPOINT: z.url().optional(),
  S3_REGION: z.string().default("us-east-1"),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  /** Chromium's or Browserless's CDP endpoint, http:// or ws:// */
  BROWSER_URL: z.string().default("http://127.0.0.1:9222"),
  EGRESS_PROXY_URL: z.url().default("http://127.0.0.1:3128"),
  /** Any of the two switches the model on; without, agents that can work without one do. */
  OPENAI_API_KEY: z.string().optional(),
  LLM_BASE_URL: z.url().optional(),
  /** Of LLM_BASE_URL, where that is not the provider's own: LiteLLM's key, for one. It switches nothing on by itself. */
  LLM_API_KEY: z.string().optional(),
  /** PEM (SPKI) of the Ed25519 key that step tokens are signed with; while keys are rotated of both, one after the other. */
  STEP_TOKEN_PUBLIC_KEY: z.string().optional(),
  /** An agent's: hex, what reconcile encrypts with for this agent alone (lib/sealed-access.ts). Absent: it gets nothing to show to hosts. */
  HOST_ACCESS_KEY: z.string().optional(),
  /** Reconcile's and the egress proxy's: hex, 256 bits, what the former encrypts proxies of single hosts with. Absent: none are used. */
  EGRESS_ACCESS_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is no key of 256 bits in hex: 'openssl rand -hex 32' makes one")
    .optional(),
  /** Likewise of the key that review links are signed with. */
  REVIEW_LINK_PUBLIC_KEY: z.string().optional(),
  /** PEM (PKCS #8) of the same keys' private halves: reconcile's alone. */
  STEP_TOKEN_PRIVATE_KEY: z.string().optional(),
  REVIEW_LINK_PRIVATE_KEY: z.string().optional(),
  /** Of a third key, with which reconcile signs the evidence of runs. Absent: runs leave none. */
  EVIDENCE_PRIVATE_KEY: z.string().optional(),
  /** Reconcile's: the passwords of tenants' own logins are made of it. Absent: agents of all namespaces share one login to each store. */
  TENANTS_KEY: z.string().min(32, "is too short: 'openssl rand -hex 32' makes one").optional(),
  /** The installation's licence, a Secret mounted as a file. Absent, or no such file: the community limits hold. */
  LICENCE_FILE: z.string().optional(),
  /** A JWKS of Ed25519 public keys, each with its kid, beside the project's own: whose licences count, too. */
  LICENCE_KEYS: z.string().optional(),
  /** The AgentPipeline, of agentic-system, of workloads that name none. */
  DEFAULT_PIPELINE: z.string().optional(),
  /** true: our CustomResourceDefinitions name admit as their conversion webhook, and it keeps their caBundle (docs/upgrade.md). */
  CONVERTS: z.stringbool().default(false),
  /** The Broker's ingress, as its status.address says. */
  BROKER_URL: z.url().optional(),
  /** A file with a token for that Broker, replaced before it expires: where Knative asks publishers who they are. */
  BROKER_TOKEN_FILE: z.string().optional(),
  /** Where reviewers reach approve: review links begin with it. */
  REVIEW_URL: z.url().default("http://approve.agentic-system.svc.cluster.local"),
  /** Where a trace is looked at, with `{trace}` in place of its id, as in https://jaeger.example.com/trace/{trace}: reconcile's for status, review and runs, an agent's for its report. */
  TRACE_URL: z
    .string()
    .regex(/^https?:\/\/\S*\{trace\}\S*$/, "expected an address with {trace} in place of the trace's id")
    .optional(),
  /** `folder`: reviews beside the artifacts, for one machine. `workload`: in the status of their AgentWorkload. */
  REVIEWS: z.enum(["folder", "workload"]).default("folder"),
  /** Names that the egress proxy sends somewhere else, private addresses included: HOST=ADDRESS:PORT, separated by commas. */
  EGRESS_RESOLVE: z.string().default(""),
  /** Setup's: whether it makes the Secrets that are missing, and names of some (functions/setup/secrets.ts). */
  SETUP_SECRETS: z.stringbool().default(true),
  SETUP_SECRET_NAMES: z
    .preprocess(asJson, z.record(z.enum(["redis", "store", "browser", "litellm", "model"]), z.string()))
    .optional(),
  /** A folder with the CustomResourceDefinitions that it applies. */
  SETUP_KINDS: z.string().optional(),
  /** Addresses and ranges that no page reaches though they look public, separated by commas: the cluster's own. */
  EGRESS_DENY: z.string().default(""),
});

export type Config = z.infer<typeof schema>;
/** Those of an agent, which is no function of FUNCTION. */
export type Settings = Omit<Config, "FUNCTION">;

/** Variables with this prefix are reconcile's to hand on: every agent by image gets them, without the prefix. */
const AGENT_PREFIX = "AGENT_";

type Environment = Readonly<Record<string, string | undefined>>;

/** As this process was started, for who compares it with what is wanted now. */
export const startedWith = (): Environment => process.env;

/** @throws Error with every wrong setting, one a line. An empty value counts as not set. */
export function readConfig(env: Environment = process.env): Config {
  return read(schema, env);
}

/** @throws Error as readConfig */
export function readSettings(env: Environment = process.env): Settings {
  return read(schema.omit({ FUNCTION: true }), env);
}

/** What reconcile gives to agents by image: addresses, logins, keys (Secret agentic-agent). */
export function readAgentSettings(env: Environment = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(AGENT_PREFIX) && value ? [[name.slice(AGENT_PREFIX.length), value] as const] : [],
    ),
  );
}

function read<T>(expected: z.ZodType<T>, env: Environment): T {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = expected.safeParse(set);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`wrong settings in the environment:\n${problems.join("\n")}`);
}

/** The model's endpoint, or undefined where none is configured. */
export function modelEndpoint(env: {
  OPENAI_API_KEY?: string | undefined;
  LLM_BASE_URL?: string | undefined;
  LLM_API_KEY?: string | undefined;
}): { baseUrl: string; apiKey: string } | undefined {
  if (!env.OPENAI_API_KEY && !env.LLM_BASE_URL) return undefined;
  return {
    baseUrl: env.LLM_BASE_URL ?? "https://api.openai.com/v1",
    // LiteLLM without a master key accepts any; the client library insists on one.
    apiKey: (env.LLM_BASE_URL && env.LLM_API_KEY) || (env.OPENAI_API_KEY ?? "none"),
  };
}
