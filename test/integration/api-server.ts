import http, { type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

// An API server, as far as the pages of runs ask one: AgentWorkloads by list and watch, TokenReview, SubjectAccessReview. That the real
// one answers so is for the tests on a cluster.

interface Ref {
  readonly namespace: string;
  readonly name: string;
}

export interface ApiServer {
  readonly port: number;
  /** Makes a workload, or changes it. */
  put(ref: Ref, status: object, over?: { createdAt?: string }): void;
  remove(ref: Ref): void;
  /** By token: whom it names, and for which audiences it was made. */
  readonly tokens: Map<string, { readonly name: string; readonly audiences: readonly string[] }>;
  /** `USER VERB NAMESPACE`, with `*` for all namespaces. */
  readonly rights: Set<string>;
  /** What was asked, by path. */
  readonly asked: string[];
  /** Watches that are open. */
  watches(): number;
  /** Answers 503 to everything, and ends what is open. */
  away: boolean;
  /** Forgets what there was before: a watch has to list anew. */
  compact(): void;
  close(): Promise<void>;
}

const PAGE = 3;

type Metadata = Ref & Readonly<Record<string, unknown>>;

export async function startApiServer(): Promise<ApiServer> {
  let version = 100;
  let oldest = 0;
  const objects = new Map<string, { readonly metadata: Metadata }>();
  const events: { version: number; type: string; object: unknown }[] = [];
  const watching = new Map<ServerResponse, string | undefined>();
  let isAway = false;
  const tell = (type: string, object: { readonly metadata: Metadata }): void => {
    events.push({ version, type, object });
    for (const [response, namespace] of watching)
      if (namespace === undefined || namespace === object.metadata.namespace)
        response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://api");
    api.asked.push(pathname);
    const answer = (body: object, status = 200): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (isAway) return answer({ kind: "Status", reason: "ServiceUnavailable", message: "away" }, 503);
    if (pathname.endsWith("/tokenreviews")) {
      const { spec } = (await json(request)) as { spec: { token: string; audiences: string[] } };
      const found = api.tokens.get(spec.token);
      const audiences = found?.audiences.filter((one) => spec.audiences.includes(one)) ?? [];
      // As an authenticator that knows no audiences: authenticated, and for none of those that were asked for.
      const status = found
        ? { authenticated: true, audiences, user: { username: found.name, groups: ["system:authenticated"] } }
        : { authenticated: false, error: "invalid bearer token" };
      return answer({ kind: "TokenReview", spec, status }, 201);
    }
    if (pathname.endsWith("/subjectaccessreviews")) {
      const { spec } = (await json(request)) as { spec: { user: string; resourceAttributes: Record<string, string> } };
      const { verb, namespace, group, resource } = spec.resourceAttributes;
      const isOurs = group === "agentic.dev" && resource === "agentworkloads";
      const allowed =
        isOurs && ["*", namespace].some((where) => where && api.rights.has(`${spec.user} ${verb} ${where}`));
      return answer({ kind: "SubjectAccessReview", spec, status: { allowed } }, 201);
    }
    const namespace = /\/namespaces\/([^/]+)\/agentworkloads$/.exec(pathname)?.[1];
    if (searchParams.get("watch")) {
      const from = Number(searchParams.get("resourceVersion"));
      response.writeHead(200, { "content-type": "application/json" });
      response.flushHeaders();
      if (from < oldest) {
        const object = { kind: "Status", code: 410, message: "too old resource version" };
        response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
        return;
      }
      for (const event of events) if (event.version > from) response.write(`${JSON.stringify(event)}\n`);
      watching.set(response, namespace);
      response.on("close", () => watching.delete(response));
      return;
    }
    const all = [...objects.values()].filter((one) => namespace === undefined || one.metadata.namespace === namespace);
    const start = Number(searchParams.get("continue") ?? 0);
    const more = start + PAGE < all.length ? { continue: String(start + PAGE) } : {};
    answer({ metadata: { resourceVersion: String(version), ...more }, items: all.slice(start, start + PAGE) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endWatches = (): void => {
    for (const response of watching.keys()) response.end();
  };
  const api: ApiServer = {
    port: (server.address() as AddressInfo).port,
    put({ namespace, name }, status, { createdAt = "2026-11-30T09:00:00Z" } = {}) {
      const key = `${namespace}/${name}`;
      version++;
      const known = objects.get(key);
      const metadata = { uid: `uid-${key.replace("/", "-")}`, creationTimestamp: createdAt, generation: 1 };
      const object = {
        apiVersion: "agentic.dev/v1alpha1",
        kind: "AgentWorkload",
        metadata: { ...metadata, ...known?.metadata, namespace, name, resourceVersion: String(version) },
        spec: {},
        status,
      };
      objects.set(key, object);
      tell(known ? "MODIFIED" : "ADDED", object);
    },
    remove({ namespace, name }) {
      const object = objects.get(`${namespace}/${name}`);
      if (!object) throw new Error(`no ${namespace}/${name}`);
      objects.delete(`${namespace}/${name}`);
      version++;
      tell("DELETED", { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    },
    tokens: new Map(),
    rights: new Set(),
    asked: [],
    watches: () => watching.size,
    get away() {
      return isAway;
    },
    set away(away) {
      isAway = away;
      if (away) endWatches();
    },
    compact() {
      oldest = version + 1;
      endWatches();
      version++;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return api;
}
