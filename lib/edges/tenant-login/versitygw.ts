import { RetryableError, TerminalError } from "../../errors.ts";
import type { Buckets } from "../artifacts/bucket.ts";
import { codeOf, createS3Client, describe, type S3Answer, type S3Settings } from "../artifacts/s3-client.ts";
import { type TenantLogins, tenantPassword, tenantUser } from "../tenant-login.ts";

export interface StoreLoginOptions {
  /** Every password is made of it. */
  readonly key: string;
  /** Those of a namespace are in a bucket of its own. */
  readonly buckets: Buckets;
  /** The store, with the login of its administrator. */
  readonly s3: S3Settings;
  /** Where versitygw takes commands on its accounts (--admin-port); they are kept in its --iam-dir. */
  readonly adminEndpoint: string;
}

/**
 * For the artifacts of a namespace's workloads. S3 knows no accounts, so each server has its own way to make them: this one is versitygw's.
 * What an account may do is a bucket policy, as everywhere. The bucket is its administrator's, not the account's: an owner could open it
 * to others, or lock objects in it.
 */
export function createStoreLogins({ key, buckets, s3, adminEndpoint }: StoreLoginOptions): TenantLogins {
  const store = createS3Client(s3);
  const admin = createS3Client({ ...s3, endpoint: adminEndpoint });
  const secretOf = (namespace: string): string => tenantPassword(key, "store", namespace);

  /** Logs in with it, and asks for an object that nobody stored: neither the login nor its rights are missing. */
  const works = async (namespace: string): Promise<boolean> => {
    const login = { accessKeyId: tenantUser(namespace), secretAccessKey: secretOf(namespace) };
    const path = `${buckets.of(namespace)}/${namespace}/login`;
    const answer = await createS3Client({ ...s3, ...login }).send({ method: "GET", path });
    return answer.status === 200 || codeOf(answer) === "NoSuchKey";
  };
  const hasPolicy = async (namespace: string): Promise<boolean> => {
    const answer = await store.send({ method: "GET", path: buckets.of(namespace), query: { policy: "" } });
    return answer.status === 200 && new TextDecoder().decode(answer.body) === policyOf(namespace, buckets);
  };

  const command = async (path: string, query: Record<string, string>, account = ""): Promise<S3Answer> =>
    admin.send({ method: "PATCH", path, query, body: new TextEncoder().encode(account) });
  const putAccount = async (namespace: string): Promise<void> => {
    const [access, secret] = [tenantUser(namespace), secretOf(namespace)];
    const made = await command(
      "create-user",
      {},
      `<Account><Access>${access}</Access><Secret>${secret}</Secret><Role>user</Role></Account>`,
    );
    if (codeOf(made) !== "XAdminUserExists") return mustBeDone(made, namespace);
    const props = `<MutableProps><Secret>${secret}</Secret><Role>user</Role></MutableProps>`;
    mustBeDone(await command("update-user", { access }, props), namespace);
  };
  const putPolicy = async (namespace: string): Promise<void> => {
    const bucket = buckets.of(namespace);
    const body = new TextEncoder().encode(policyOf(namespace, buckets));
    mustBeDone(await store.send({ method: "PUT", path: bucket, query: { policy: "" }, body }), namespace);
  };

  return {
    settingsFor: (namespace, shared) => ({
      ...shared,
      AWS_ACCESS_KEY_ID: tenantUser(namespace),
      AWS_SECRET_ACCESS_KEY: secretOf(namespace),
    }),
    ensure: (namespace) =>
      loginErrors(namespace, async () => {
        // Most looks find it as it should be: an account that is written is a file that is written anew, for all accounts.
        const right = await Promise.all([works(namespace), hasPolicy(namespace)]);
        if (right.every(Boolean)) return;
        await putAccount(namespace);
        await store.createBucket(buckets.of(namespace));
        // A policy names accounts that are there.
        await putPolicy(namespace);
      }),
    // Its bucket stays as long as workloads have artifacts there.
    remove: (namespace) =>
      loginErrors(namespace, async () => {
        mustBeDone(await command("delete-user", { access: tenantUser(namespace) }), namespace);
      }),
  };
}

/**
 * Reads and writes of keys that begin with the namespace; no list, no delete, nothing of the bucket. The resource is of objects only:
 * versitygw judges a form's upload (POST) by the bucket, before it knows the key.
 */
function policyOf(namespace: string, buckets: Buckets): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: [tenantUser(namespace)] },
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: [`arn:aws:s3:::${buckets.of(namespace)}/${namespace}/*`],
      },
    ],
  });
}

/** @throws RetryableError LoginRefused */
function mustBeDone(answer: S3Answer, namespace: string): void {
  if (answer.status < 200 || answer.status >= 300) throw refused(namespace, describe(answer));
}

const refused = (namespace: string, why: string, cause?: unknown): RetryableError =>
  new RetryableError(
    "LoginRefused",
    `the object store makes no login for namespace ${namespace} (${why}): S3_ADMIN_ENDPOINT must be the address of versitygw's --admin-port, versitygw must have an --iam-dir, and AWS_ACCESS_KEY_ID must be its administrator; or leave S3_ADMIN_ENDPOINT out, and the agents of all namespaces share one login`,
    { cause, countsAsAttempt: false },
  );

async function loginErrors(namespace: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof RetryableError) throw cause;
    if (cause instanceof TerminalError) throw refused(namespace, cause.message, cause);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RetryableError(
      "ArtifactStoreUnavailable",
      `the login of namespace ${namespace} to the object store could not be looked at: ${why}`,
      { cause, countsAsAttempt: false },
    );
  }
}
