import { z } from "zod";
import { decimal } from "../../crd/fields.ts";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { schemaProblems } from "../schema-problems.ts";
import { microUsd } from "./micro-usd.ts";
import type { Wait } from "./shortage.ts";

/** The administrator's ConfigMap: one key a namespace, its value YAML or JSON. */
export const QUOTAS = { namespace: SHARED_NAMESPACE, name: "agentic-quotas" };
/** For namespaces without a key of their own, and fields that theirs leaves out. No namespace has an underscore in its name. */
const DEFAULT_KEY = "_default";

const limitsSchema = z.strictObject({
  maxRunning: z.int().min(0).optional(),
  maxUsdPerMonth: decimal.optional(),
});

export interface Limits {
  /** Workloads that work at once. */
  readonly maxRunning?: number;
  /** Of a calendar month, UTC: of a namespace's quota in millionths of a dollar, of the installation's in items. */
  readonly maxPerMonth?: number;
  /** The installation's: namespaces with runs under way. */
  readonly maxNamespaces?: number;
  /** Why nothing new starts; what has begun goes on. */
  readonly closed?: Wait;
}

/** `problem`: what is wrong with it. It then limits everything: an error of the administrator's must not lift a quota. */
export type Quota = Limits | { readonly problem: string };

/** What the ConfigMap says of a namespace; undefined: no quota. `data`: undefined where there is no ConfigMap. */
export async function quotaIn(
  data: Readonly<Record<string, string>> | undefined,
  namespace: string,
): Promise<Quota | undefined> {
  const keys = [DEFAULT_KEY, namespace].filter((key) => data?.[key] !== undefined);
  if (!data || keys.length === 0) return undefined;
  let limits: z.infer<typeof limitsSchema> = {};
  for (const key of keys) {
    const parsed = limitsSchema.safeParse(await yamlOf(data[key] ?? ""));
    if (!parsed.success) return { problem: problemText(key, schemaProblems(parsed.error)) };
    limits = { ...limits, ...parsed.data };
  }
  const { maxRunning, maxUsdPerMonth } = limits;
  return {
    ...(maxRunning === undefined ? {} : { maxRunning }),
    ...(maxUsdPerMonth === undefined ? {} : { maxPerMonth: microUsd(Number(maxUsdPerMonth)) }),
  };
}

/** Loaded by who has quotas. What is no YAML stays the text that it is, and is refused as no map. */
async function yamlOf(text: string): Promise<unknown> {
  // The image's bundle gives what a CommonJS package exports as its default alone.
  const { default: yaml } = await import("yaml");
  try {
    return yaml.parse(text);
  } catch {
    return text;
  }
}

function problemText(key: string, why: string): string {
  const { namespace, name } = QUOTAS;
  return `the key ${key} of ConfigMap ${namespace}/${name} is invalid: ${why.replaceAll(/\s*\n\s*/g, " ")}`;
}
