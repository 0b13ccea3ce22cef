import type { Logger } from "../log.ts";

const NAMES = ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "LANGFUSE_BASE_URL"] as const;
export type LangfuseSettings = { readonly [name in (typeof NAMES)[number]]?: string | undefined };

/** Where a Langfuse is, and which of its projects spans belong to. */
export interface LangfuseKeys {
  readonly publicKey: string;
  readonly secretKey: string;
  readonly baseUrl: string;
}

/**
 * Undefined where one of the three is missing, and the log says which. Without an address Langfuse's SDK would send to its makers' cloud:
 * here somebody has to name that.
 */
export function langfuseKeys(settings: LangfuseSettings, log: Logger): LangfuseKeys | undefined {
  const [publicKey, secretKey, baseUrl] = NAMES.map((name) => settings[name]);
  if (publicKey && secretKey && baseUrl) return { publicKey, secretKey, baseUrl: baseUrl.replace(/\/$/, "") };
  const missing = NAMES.filter((name) => !settings[name]);
  if (publicKey || secretKey) log.warn(`nothing is sent to Langfuse: set ${missing.join(" and ")}`);
  return undefined;
}
