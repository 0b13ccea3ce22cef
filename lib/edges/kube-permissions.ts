import { AuthenticationV1Api, AuthorizationV1Api, type KubeConfig } from "@kubernetes/client-node";
import { RetryableError } from "../errors.ts";
import { outcome } from "./kube-calls.ts";

/** Somebody, as the API server knows them. */
export interface KubeUser {
  readonly name: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, string[]>>;
}

export interface Attributes {
  readonly verb: "get" | "list";
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** Absent: all of them. */
  readonly name?: string;
}

/** What the API server says of others. @throws RetryableError ApiUnavailable; TerminalError with its own reason */
export interface Permissions {
  /** @returns undefined for a token that it did not make for this audience, or that has expired or was revoked */
  whoIs(token: string, audience: string): Promise<KubeUser | undefined>;
  mayWorkloads(user: KubeUser, attributes: Attributes): Promise<boolean>;
}

export function connectPermissions(config: KubeConfig): Permissions {
  const authentication = config.makeApiClient(AuthenticationV1Api);
  const authorization = config.makeApiClient(AuthorizationV1Api);
  return {
    async whoIs(token, audience) {
      const body = { spec: { token, audiences: [audience] } };
      const { status } = answered(await outcome(authentication.createTokenReview({ body }))) ?? {};
      // An authenticator that knows no audiences says that the token is good for the API server's own.
      if (!status?.authenticated || !status.audiences?.includes(audience)) return undefined;
      const { username: name, uid, groups = [], extra = {} } = status.user ?? {};
      return name ? { name, uid, groups, extra } : undefined;
    },
    async mayWorkloads({ name: user, uid, groups, extra }, { verb, namespace, name }) {
      const resourceAttributes = {
        group: "agentic.dev",
        resource: "agentworkloads",
        verb,
        ...(namespace === undefined ? {} : { namespace }),
        ...(name === undefined ? {} : { name }),
      };
      const spec = { user, ...(uid ? { uid } : {}), groups: [...groups], extra, resourceAttributes };
      const asked = answered(await outcome(authorization.createSubjectAccessReview({ body: { spec } })));
      return asked.status?.allowed === true && asked.status.denied !== true;
    },
  };
}

function answered<T>(found: { value: T } | { refused: string }): T {
  if ("value" in found) return found.value;
  throw new RetryableError("ApiUnavailable", `the API server refused a review: ${found.refused}`);
}
