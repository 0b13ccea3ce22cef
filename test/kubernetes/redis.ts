import { kubectl } from "./cluster.ts";
import { SYSTEM } from "./workload.ts";

/** What Redis says to its administrator, on the socket in its pod. */
export function askRedis(command: string): Promise<string> {
  const shell = `REDISCLI_AUTH="$REDIS_PASSWORD" exec redis-cli -s /run/redis/redis.sock --no-auth-warning ${command}`;
  return kubectl(["-n", SYSTEM, "exec", "deployment/redis", "-c", "redis", "--", "sh", "-c", shell]);
}
