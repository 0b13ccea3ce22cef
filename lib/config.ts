import { z } from "zod";

const FUNCTIONS = ["reconcile", "scrape", "analyze", "report", "approve", "egress"] as const;

/** Every setting of a function, from its environment. Nothing else reads the environment. */
const schema = z.object({
  FUNCTION: z.enum(FUNCTIONS, `one of ${FUNCTIONS.join(", ")}`),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  HOST: z.string().default("0.0.0.0"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  /** redis://, rediss:// or unix:// */
  REDIS_URL: z.string().default("redis://127.0.0.1:6379"),
  /** `redis`: our saver, any Redis from 6.2 on. `redis-stack`: @langchain/langgraph-checkpoint-redis, Redis 8 with JSON and search. */
  CHECKPOINTS: z.enum(["redis", "redis-stack"]).default("redis"),
  /** file:///folder, redis://host or s3://bucket (with S3_ENDPOINT, S3_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). */
  ARTIFACTS_URL: z.url().default("file:///tmp/agentic-artifacts"),
  S3_ENDPOINT: z.url().optional(),
  S3_REGION: z.string().default("us-east-1"),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  /** Chromium's or Browserless's CDP endpoint, http:// or ws:// */
  BROWSER_URL: z.string().default("http://127.0.0.1:9222"),
  EGRESS_PROXY_URL: z.url().default("http://127.0.0.1:3128"),
  /** Any of the two switches the model on; without, analyze and report work extractively. */
  OPENAI_API_KEY: z.string().optional(),
  LLM_BASE_URL: z.url().optional(),
  /** Of LLM_BASE_URL, where that is not the provider's own: LiteLLM's key, for one. It switches nothing on by itself. */
  LLM_API_KEY: z.string().optional(),
  /** PEM (SPKI) of the Ed25519 key that step tokens are signed with. */
  STEP_TOKEN_PUBLIC_KEY: z.string().optional(),
  /** PEM (SPKI) of the Ed25519 key that review links are signed with. */
  REVIEW_LINK_PUBLIC_KEY: z.string().optional(),
  /** PEM (PKCS #8) of the same keys' private halves: reconcile's alone. */
  STEP_TOKEN_PRIVATE_KEY: z.string().optional(),
  REVIEW_LINK_PRIVATE_KEY: z.string().optional(),
  /** The Broker's ingress, as its status.address says. */
  BROKER_URL: z.url().optional(),
  /** Where reviewers reach approve: review links begin with it. */
  REVIEW_URL: z.url().default("http://approve.agentic-system.svc.cluster.local"),
  /** `folder`: reviews beside the artifacts, for one machine. `workload`: in the status of their AgentWorkload. */
  REVIEWS: z.enum(["folder", "workload"]).default("folder"),
  /** Names that the egress proxy sends somewhere else, private addresses included: HOST=ADDRESS:PORT, separated by commas. */
  EGRESS_RESOLVE: z.string().default(""),
});

export type Config = z.infer<typeof schema>;
/** Of an agent that is none of our own functions. */
export type Settings = Omit<Config, "FUNCTION">;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error with every wrong setting, one a line. An empty value counts as not set. */
export function readConfig(env: Environment = process.env): Config {
  return read(schema, env);
}

/** @throws Error as readConfig */
export function readSettings(env: Environment = process.env): Settings {
  return read(schema.omit({ FUNCTION: true }), env);
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
