import { CloudEvent, HTTP } from "cloudevents";
import { REF } from "../../unit/reconcile/harness.ts";
import { type GateWorld, PATH } from "./gate-world.ts";

/** What is sent: who asks, and for what. */
export interface Ask {
  readonly token: string | undefined;
  /** Fields of a form, or any JSON. */
  readonly body: unknown;
}

export type Channel = (world: Pick<GateWorld, "app">, ask: Ask) => Response | Promise<Response>;

export const OWN_ORIGIN = { origin: "http://localhost" };
export const approving = ({ digests }: GateWorld) => ({ decision: "approved", digest: digests.ask });

const cookie = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { cookie: `agentic-review-ask=${token}` };
const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** Fields of a form are strings; what is a list stands there several times. */
function fieldsOf(body: unknown): [string, string][] {
  return Object.entries((body ?? {}) as object).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, String(one)]),
  );
}
function multipart(body: unknown): FormData {
  const form = new FormData();
  for (const [name, value] of fieldsOf(body)) form.append(name, value);
  return form;
}
const post = (app: GateWorld["app"], path: string, headers: Record<string, string>, body: BodyInit) =>
  app.request(path, { method: "POST", headers, body });
const html = { accept: "text/html", ...OWN_ORIGIN };

function eventOf({ token, body }: Ask): CloudEvent<unknown> {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  const data = isObject ? { ...REF, ...(token === undefined ? {} : { token }), ...body } : body;
  return new CloudEvent({ type: "dev.agentic.review.decided", source: "/test", id: "1", data }, false);
}
const sendEvent = (app: GateWorld["app"], { headers, body }: { headers: object; body: unknown }) =>
  post(app, "/", headers as Record<string, string>, body as string);

export const FORMS = {
  "a form, by a cookie": async ({ app }, { token, body }) =>
    post(app, PATH, { ...html, ...cookie(token) }, new URLSearchParams(fieldsOf(body))),
  "a form, by a bearer token": async ({ app }, { token, body }) =>
    post(app, PATH, { ...html, ...bearer(token) }, new URLSearchParams(fieldsOf(body))),
  "a multipart form, by a cookie": async ({ app }, { token, body }) =>
    post(app, PATH, { ...html, ...cookie(token) }, multipart(body)),
} satisfies Record<string, Channel>;

const JSON_TYPE = { "content-type": "application/json" };
export const DOCUMENTS = {
  "JSON, by a cookie": async ({ app }, { token, body }) =>
    post(app, PATH, { ...JSON_TYPE, ...cookie(token) }, JSON.stringify(body)),
  "JSON, by a bearer token": async ({ app }, { token, body }) =>
    post(app, PATH, { ...JSON_TYPE, ...bearer(token) }, JSON.stringify(body)),
  "a binary CloudEvent": ({ app }, ask) => sendEvent(app, HTTP.binary(eventOf(ask))),
  "a structured CloudEvent": ({ app }, ask) => sendEvent(app, HTTP.structured(eventOf(ask))),
} satisfies Record<string, Channel>;

export const CHANNELS: Readonly<Record<string, Channel>> = { ...FORMS, ...DOCUMENTS };
