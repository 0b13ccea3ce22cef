import { sha256 } from "../../../engine/canonical.ts";

/** Which bucket of an S3 store the artifacts of a namespace are in. */
export interface Buckets {
  of(namespace: string): string;
  readonly perNamespace: boolean;
}

const PLACEHOLDER = "{namespace}";
const MAX_LENGTH = 63;
const HASH_LENGTH = 32;
const PREFIX_FORM = /^[a-z0-9][a-z0-9.-]{0,19}$/;

/** `s3://bucket`: one for all. `s3://prefix-{namespace}`: one for each namespace. @throws Error for a URL that names neither */
export function readBuckets(url: string): Buckets {
  const { hostname, pathname } = new URL(url);
  if (!hostname || !["", "/"].includes(pathname))
    throw new Error("ARTIFACTS_URL must name a bucket and nothing below it, as in s3://bucket");
  if (!hostname.includes("{")) return { of: () => hostname, perNamespace: false };
  const prefix = hostname.slice(0, -PLACEHOLDER.length);
  if (!hostname.endsWith(PLACEHOLDER) || !PREFIX_FORM.test(prefix))
    throw new Error(
      `ARTIFACTS_URL must end with ${PLACEHOLDER}, after 1 to 20 of a-z, 0-9, dot and dash, as in s3://agentic-${PLACEHOLDER}`,
    );
  return { of: (namespace) => bucketName(prefix, namespace), perNamespace: true };
}

/** A bucket's name has 63 characters, as a namespace's. A long one ends with a hash after a dot, which no namespace has. */
function bucketName(prefix: string, namespace: string): string {
  if (prefix.length + namespace.length <= MAX_LENGTH) return prefix + namespace;
  const kept = namespace.slice(0, MAX_LENGTH - prefix.length - HASH_LENGTH - 1).replace(/-+$/, "");
  return `${prefix}${kept}.${sha256(namespace).slice(0, HASH_LENGTH)}`;
}
