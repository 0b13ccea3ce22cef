import { z } from "zod";
import type { PipelineStep } from "../engine/pipeline.ts";
import type { Item } from "../engine/result.ts";
import { itemHosts } from "./allow-list.ts";
import { parseJson } from "./parse-json.ts";

/**
 * What a namespace shows to single hosts: headers, cookies, and a proxy to reach them by (ADR 51). A Secret of this name holds it in a
 * cluster. Each key is the exact name of a host, so that the object itself says whose it is and where it may go.
 */
export const HOST_ACCESS_SECRET = "agentic-host-access";

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/i;
/** The connection's and the browser's own. Who visits is said as it is: an agent does not pass for somebody else. */
const NOT_GIVEN =
  /^(?:host|cookie|connection|keep-alive|content-.*|transfer-encoding|te|trailer|upgrade|expect|user-agent|origin|referer|sec-.*|proxy-.*)$/i;

const headersSchema = z
  .record(
    z.string(),
    z
      .string()
      .regex(
        /^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/,
        "a value is not printable ASCII of up to 4,096 characters",
      ),
  )
  .refine((headers) => Object.keys(headers).every((name) => TOKEN.test(name)), "a name is none of a header")
  .refine(
    (headers) => !Object.keys(headers).some((name) => NOT_GIVEN.test(name)),
    "has one that is not for you to set: host, cookie (use cookies), user-agent, origin, referer, content-*, proxy-*, sec-*, or one of the connection",
  )
  .refine(
    (headers) => new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
    "has a name twice",
  )
  .refine((headers) => Object.keys(headers).length <= 20, "has more than 20");

const cookieSchema = z.strictObject({
  name: z.string("is missing").regex(TOKEN, "is no name of a cookie"),
  value: z
    .string("is missing")
    .regex(/^[\x20-\x3a\x3c-\x7e]{0,4096}$/, "is not printable ASCII without ; of up to 4,096 characters"),
  path: z
    .string()
    .regex(/^\/[\x21-\x3a\x3c-\x7e]{0,1023}$/, "does not begin with /")
    .default("/"),
});

/** The password of the egress token carries it, encrypted: it has to fit into a header. */
const proxySchema = z
  .string()
  .max(512, "has more than 512 characters")
  .refine(isProxy, "is not http://HOST:PORT or http://USER:PASSWORD@HOST:PORT");

const accessSchema = z
  .strictObject({
    headers: headersSchema.optional(),
    cookies: z.array(cookieSchema, "expected a list").max(50, "has more than 50").optional(),
    proxy: proxySchema.optional(),
  })
  .refine((access) => Object.keys(access).length > 0, "expected headers, cookies or proxy");

/** Of one host. */
export type Access = z.infer<typeof accessSchema>;
export const hostAccessSchema = z.record(z.string(), accessSchema);
/** By the exact name of the host. */
export type HostAccess = Readonly<Record<string, Access>>;

const KINDS = ["headers", "cookies", "proxy"] as const;
/** What there is for each host, and nothing of what it is. */
export const accessKindsSchema = z.record(z.string(), z.array(z.enum(KINDS)).min(1));
export type AccessKinds = z.infer<typeof accessKindsSchema>;

export function kindsOf(access: HostAccess): AccessKinds {
  return Object.fromEntries(
    Object.entries(access).map(([host, one]) => [host, KINDS.filter((kind) => one[kind] !== undefined)]),
  );
}

/** What a namespace holds: by host JSON, or what it says. */
export type HeldAccess = Readonly<Record<string, unknown>>;

/**
 * What a step gets on its item: what is held for exactly the hosts of the item's address, where its pipeline asks for it. Undefined: nothing.
 * `problem`: what is held for one of them is wrong, and how. It quotes nothing of it.
 */
export function hostAccessFor(
  { hostAccess }: Pick<PipelineStep, "hostAccess">,
  item: Item | undefined,
  held: HeldAccess,
): HostAccess | { readonly problem: string } | undefined {
  if (!hostAccess) return undefined;
  const hosts = itemHosts(item).filter((host) => Object.hasOwn(held, host));
  if (hosts.length === 0) return undefined;
  const read = hosts.map((host) => [host, readAccess(held[host])] as const);
  const problems = read.flatMap(([host, one]) => ("problem" in one ? [`${host}: ${one.problem}`] : []));
  if (problems.length > 0) return { problem: problems.join("; ") };
  return Object.fromEntries(read as [string, Access][]);
}

/** What is wrong with all that is held, one a host. It quotes nothing but names of hosts. */
export function accessProblems(held: HeldAccess): string[] {
  return Object.entries(held).flatMap(([host, one]) => {
    if (!isHost(host)) return [`${JSON.stringify(host)} is no exact name of a host in lower case, without port and *`];
    const read = readAccess(one);
    return "problem" in read ? [`${host}: ${read.problem}`] : [];
  });
}

function readAccess(held: unknown): Access | { readonly problem: string } {
  const value = typeof held === "string" ? parseJson(held) : held;
  if (value === undefined) return { problem: "is no JSON" };
  const { success, data, error } = accessSchema.safeParse(value);
  return success ? data : { problem: error.issues.map(problemOf).join("; ") };
}

const PARTS: ReadonlySet<unknown> = new Set([...KINDS, "name", "value", "path"]);

/** Of keys only those that the schema knows: what else stands there may be the secret. */
function problemOf({ path, code, message }: z.core.$ZodIssue): string {
  const where = path.filter((part) => typeof part === "number" || PARTS.has(part)).join(".");
  const inCookie = path.includes("cookies");
  const known = inCookie ? "name, value and path" : "headers, cookies and proxy";
  if (code === "unrecognized_keys") return [where, `expected ${known}, and nothing else`].filter(Boolean).join(": ");
  return [where, message.replace(/^Invalid input: /, "")].filter(Boolean).join(": ");
}

const isHost = (text: string): boolean =>
  text.length <= 253 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(text);

function isProxy(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === "http:" && url.hostname !== "" && url.pathname === "/" && url.search === "" && url.hash === ""
  );
}
