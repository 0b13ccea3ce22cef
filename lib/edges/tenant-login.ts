import { createHmac } from "node:crypto";

/** What agents by image get as their environment. */
export type AgentSettings = Readonly<Record<string, string>>;

/**
 * Logins of tenants to one of the stores: a namespace's own agents reach what is of their namespace, and nothing else. A password
 * follows from the key TENANTS_KEY and the namespace, so that none has to be kept.
 */
export interface TenantLogins {
  /** Those of a namespace's agents: its own login takes the place of the shared one. */
  settingsFor(namespace: string, shared: AgentSettings): AgentSettings;
  /**
   * Makes the login unless it is there as it should be. Any number of instances may ask at once.
   * @throws RetryableError StoreUnavailable, ArtifactStoreUnavailable; LoginRefused where whoever asks may make none
   */
  ensure(namespace: string): Promise<void>;
  /** Removes it. @throws as ensure */
  remove(namespace: string): Promise<void>;
}

export function tenantUser(namespace: string): string {
  return `agentic-tenant-${namespace}`;
}

/** `store`: what it is the password of. A password that leaks opens one store of one namespace. */
export function tenantPassword(key: string, store: "redis" | "store", namespace: string): string {
  return createHmac("sha256", key).update(`${store}/${namespace}`).digest("hex");
}
