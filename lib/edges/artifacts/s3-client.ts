import { AwsClient } from "aws4fetch";
import pRetry from "p-retry";
import { sha256 } from "../../../engine/canonical.ts";
import { TerminalError } from "../../errors.ts";

export interface S3Settings {
  /** http(s)://host:port; buckets are addressed as paths below it. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Of one request, its answer's body included. */
const TIMEOUT_MS = 10_000;
/** Waits of 0.1 to 0.2, 0.3 to 0.6 and 0.9 to 1.8 s. After 20 s no further request starts: the step is delivered again later. */
const RETRY = { retries: 3, minTimeout: 100, factor: 3, randomize: true, maxRetryTime: 20_000 };
/** What is wrong is the login, and not what was asked with it: it may have been replaced, and a process that starts now has the next one. */
const LOGIN_REFUSED = ["InvalidAccessKeyId", "SignatureDoesNotMatch"];
/** Another writer created the bucket, or is about to. */
const CREATED = ["BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted"];

export interface S3Request {
  readonly method: "GET" | "PUT" | "DELETE" | "PATCH";
  /** A bucket, or a bucket, a slash and a key. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Of a PUT: refused with PreconditionFailed where the object is there. */
  readonly onlyNew?: boolean;
}

export interface S3Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Signed requests with one login. */
export interface S3Client {
  /** @throws Error when the store does not answer, or answers 429 or 5xx, each time */
  send(request: S3Request): Promise<S3Answer>;
  /**
   * The body of an answer that succeeded, undefined for one with an error code of `expected`. `action`: what was asked for, with its
   * verb. @throws TerminalError StoreRefused; Error where the login is refused
   */
  accept(answer: S3Answer, action: string, expected?: readonly string[]): Uint8Array | undefined;
  /** Creates the bucket unless it is there. @throws as send and accept */
  createBucket(bucket: string): Promise<void>;
}

/** @throws Error for settings that cannot work; its message holds no secret */
export function createS3Client(settings: S3Settings): S3Client {
  const endpoint = readEndpoint(settings.endpoint);
  const aws = new AwsClient({
    accessKeyId: readCredential("AWS_ACCESS_KEY_ID", settings.accessKeyId),
    secretAccessKey: readCredential("AWS_SECRET_ACCESS_KEY", settings.secretAccessKey),
    region: settings.region,
    service: "s3",
  });

  const send = ({ method, path, query = {}, body, onlyNew = false }: S3Request): Promise<S3Answer> => {
    const url = `${endpoint}/${path.split("/").map(encodeURIComponent).join("/")}?${new URLSearchParams(query)}`;
    // The store refuses bytes that changed on their way to it.
    const headers = { "x-amz-content-sha256": sha256(body ?? ""), ...(onlyNew ? { "if-none-match": "*" } : {}) };
    const sendOnce = async (): Promise<S3Answer> => {
      const request = await aws.sign(url, { method, headers, body: body ?? null });
      // The signal goes to fetch: a Request holds its own weakly, and loses it when garbage is collected.
      const response = await fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "manual" });
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    };
    return pRetry(async () => {
      const answer = await sendOnce().catch((cause) => {
        throw new Error(`${endpoint} did not answer: ${reasonOf(cause)}`, { cause });
      });
      if (answer.status === 429 || answer.status >= 500) throw new Error(`${endpoint} answered ${describe(answer)}`);
      return answer;
    }, RETRY);
  };

  const accept: S3Client["accept"] = (answer, action, expected = []) => {
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    if (expected.includes(codeOf(answer) ?? "")) return undefined;
    const refused = `the object store at ${endpoint} refused to ${action} (${describe(answer)}): check S3_ENDPOINT, S3_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the bucket in ARTIFACTS_URL; this login needs to read, write, list and delete there`;
    if (LOGIN_REFUSED.includes(codeOf(answer) ?? "")) throw new Error(refused);
    throw new TerminalError("StoreRefused", refused);
  };

  return {
    send,
    accept,
    async createBucket(bucket) {
      const request = { method: "PUT", path: bucket, ...locationOf(settings.region) } as const;
      accept(await send(request), `create the bucket ${bucket}`, CREATED);
    },
  };
}

function readEndpoint(endpoint: string): string {
  const { protocol, host, pathname, username, password } = new URL(endpoint);
  if (username || password)
    throw new Error("S3_ENDPOINT holds a login: put it into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  return `${protocol}//${host}${pathname.replace(/\/$/, "")}`;
}

/** A line break from a file would end up in a header, whose error quotes it. */
function readCredential(name: string, value: string): string {
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new Error(`${name} is empty or holds a space, a line break or non-ASCII text`);
  return value;
}

/** AWS creates a bucket outside its first region only when the request names the region again. */
function locationOf(region: string): Pick<S3Request, "body"> {
  if (region === "us-east-1") return {};
  const location = `<LocationConstraint>${region}</LocationConstraint>`;
  const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
  const xml = `<CreateBucketConfiguration xmlns="${namespace}">${location}</CreateBucketConfiguration>`;
  return { body: new TextEncoder().encode(xml) };
}

/** fetch says "fetch failed" and puts the reason into the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no complete answer within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || String((cause as NodeJS.ErrnoException).code);
}

/** Only the code: the rest of an S3 error can quote the signed request. */
export const codeOf = ({ body }: S3Answer): string | undefined => textsOf(new TextDecoder().decode(body), "Code")[0];

export const describe = (answer: S3Answer): string => [answer.status, codeOf(answer)].filter(Boolean).join(" ");

/** The texts of the elements of this name. S3's answers are flat enough to need no parser. */
export function textsOf(xml: string, element: string): string[] {
  return [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, text = ""]) =>
    unescapeXml(text),
  );
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) =>
    name ? (NAMED[name] ?? whole) : String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal)),
  );
}
