import { createHash, createHmac } from "node:crypto";
import { request } from "node:http";
import { buffer } from "node:stream/consumers";

export interface RawRequest {
  readonly method: string;
  /** As it goes over the wire: nothing is resolved or escaped. */
  readonly path: string;
  /** Without the question mark. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface RawLogin {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

const REGION = "us-east-1";

/** A request that no client library would send, signed (AWS Signature Version 4) so that only its content can be refused. */
export async function sendRaw(endpoint: string, raw: RawRequest, login?: RawLogin): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(endpoint);
  const { method, path, query, body = "" } = raw;
  const headers = {
    ...raw.headers,
    ...(login ? signed(raw, host, login) : {}),
    "content-length": String(byteLength(body)),
  };
  return new Promise((resolve, reject) => {
    const target = query === undefined ? path : `${path}?${query}`;
    const sent = request({ hostname, port, method, path: target, headers: { host, ...headers } }, async (answer) => {
      const text = (await buffer(answer)).toString();
      resolve({ status: answer.statusCode ?? 0, code: /<Code>(\w+)/.exec(text)?.[1], text });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function signed(
  { method, path, query = "", headers = {}, body = "" }: RawRequest,
  host: string,
  { accessKeyId, secretAccessKey }: RawLogin,
): Record<string, string> {
  const date = `${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`;
  const day = date.slice(0, 8);
  const hash = sha256(body);
  const all = { host, "x-amz-content-sha256": hash, "x-amz-date": date, ...headers };
  const lines = Object.entries(all)
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = lines.map(([name]) => name).join(";");
  const canonical = [
    method,
    escapeUri(decodeURIComponent(path), "/"),
    canonicalQuery(query),
    ...lines.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    hash,
  ].join("\n");
  const scope = `${day}/${REGION}/s3/aws4_request`;
  const signature = sign(secretAccessKey, day, ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n"));
  return {
    "x-amz-content-sha256": hash,
    "x-amz-date": date,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

export interface Form {
  readonly bucket: string;
  readonly key: string;
  readonly content: string;
}

/** The upload of an HTML form, whose policy allows its own bucket and key. */
export function formUpload({ bucket, key, content }: Form, { accessKeyId, secretAccessKey }: RawLogin): RawRequest {
  const date = `${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`;
  const day = date.slice(0, 8);
  const fields = {
    key,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${accessKeyId}/${day}/${REGION}/s3/aws4_request`,
    "x-amz-date": date,
  };
  const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
  const expiration = new Date(Date.now() + 600_000).toISOString();
  const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString("base64");
  const boundary = "----form";
  const parts = Object.entries({ ...fields, policy, "x-amz-signature": sign(secretAccessKey, day, policy) })
    .map(([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join("");
  const file = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n${content}\r\n--${boundary}--\r\n`;
  const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
  return { method: "POST", path: `/${bucket}`, headers, body: parts + file };
}

function sign(secret: string, day: string, text: string): string {
  const key = [day, REGION, "s3", "aws4_request"].reduce<string | Buffer>(
    (by, part) => hmac(by, part),
    `AWS4${secret}`,
  );
  return hmac(key, text).toString("hex");
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
const byteLength = (data: string | Uint8Array): number => Buffer.byteLength(data);

function escapeUri(text: string, kept = ""): string {
  return [...Buffer.from(text)]
    .map((byte) => String.fromCharCode(byte))
    .map((char) =>
      /[\w.~-]/.test(char) || kept.includes(char)
        ? char
        : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${escapeUri(name)}=${escapeUri(value)}`)
    .join("&");
}
