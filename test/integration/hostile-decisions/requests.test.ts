import { describe, expect, test } from "vitest";
import { REF } from "../../unit/reconcile/harness.ts";
import { approving, CHANNELS, type Channel, DOCUMENTS, OWN_ORIGIN } from "./channels.ts";
import { counts, type GateWorld, PATH, reviewOf, withstands } from "./gate-world.ts";

// With a link that permits it: what is no decision, what another page sends, and what comes too late.

/** Fields over those of a decision that counts. */
type Fields = (world: GateWorld) => Record<string, unknown>;
const CHANGES = { decision: "changesRequested", comment: "again" };

/** What every channel can say. */
const BAD_FIELDS: Readonly<Record<string, Fields>> = {
  "no decision": () => ({ decision: undefined }),
  "an empty decision": () => ({ decision: "" }),
  "a decision that is none": () => ({ decision: "maybe" }),
  "a decision in capitals": () => ({ decision: "APPROVED" }),
  "a decision with a space": () => ({ decision: "approved " }),
  "the verb": () => ({ decision: "approve" }),
  "what a skipped gate says": () => ({ decision: "skipped" }),
  "what a node that never ran says": () => ({ decision: "not-run" }),
  "two decisions": () => ({ decision: ["rejected", "maybe"] }),
  "a name of every object": () => ({ decision: "constructor" }),
  "no digest": () => ({ digest: undefined }),
  "an empty digest": () => ({ digest: "" }),
  "a digest of zeros": () => ({ digest: "0".repeat(64) }),
  "another gate's digest": ({ digests }) => ({ digest: digests.also }),
  "a digest cut short": ({ digests }) => ({ digest: digests.ask.slice(0, 63) }),
  "the beginning of the digest": ({ digests }) => ({ digest: digests.ask.slice(0, 16) }),
  "a digest in capitals": ({ digests }) => ({ digest: digests.ask.toUpperCase() }),
  "a digest with a line's end": ({ digests }) => ({ digest: `${digests.ask}\n` }),
  "a digest with its algorithm": ({ digests }) => ({ digest: `sha256:${digests.ask}` }),
  "two digests": ({ digests }) => ({ digest: [digests.ask, "0".repeat(64)] }),
  "any digest": () => ({ digest: "*" }),
  "a comment of 4,001 characters": () => ({ comment: "x".repeat(4001) }),
  "a comment of 513 KB": () => ({ comment: "x".repeat(513 * 1024) }),
  "changes without a comment": () => ({ ...CHANGES, comment: undefined }),
  "changes with a comment of spaces": () => ({ ...CHANGES, comment: " \n\t " }),
};

/** What only a document can say. */
const BAD_VALUES: Readonly<Record<string, Fields>> = {
  "a decision that is true": () => ({ decision: true }),
  "a decision that is null": () => ({ decision: null }),
  "a decision in a list": () => ({ decision: ["approved"] }),
  "a decision in an object": () => ({ decision: { approved: true } }),
  "a digest that is a number": () => ({ digest: 0 }),
  "a digest that is an object": ({ digests }) => ({ digest: { [digests.ask]: true } }),
  "a comment that is an object": () => ({ comment: { text: "x" } }),
  "an approval of steps": () => ({ steps: ["find"] }),
  "changes of no steps": () => ({ ...CHANGES, steps: [] }),
  "changes of a step after the gate": () => ({ ...CHANGES, steps: ["write"] }),
  "changes of the gate itself": () => ({ ...CHANGES, steps: ["ask"] }),
  "changes of a step that is not there": () => ({ ...CHANGES, steps: ["nobody"] }),
  "changes of a step before the gate and one after it": () => ({ ...CHANGES, steps: ["find", "write"] }),
  "changes of a step of every object": () => ({ ...CHANGES, steps: ["__proto__"] }),
  "changes of steps that are no list": () => ({ ...CHANGES, steps: "find" }),
  "an approval that hides in a prototype": ({ digests }) => ({
    decision: undefined,
    digest: undefined,
    ["__proto__"]: { decision: "approved", digest: digests.ask },
  }),
};
const NO_OBJECTS: Readonly<Record<string, unknown>> = {
  "a word": "approved",
  "a list": [{ decision: "approved" }],
  nothing: null,
  "a number": 1,
};

describe.each(Object.entries(CHANNELS))("by %s", (_how, send) => {
  test.each(Object.entries(BAD_FIELDS))("%s", (_what, fields) => refuses(send, fields));
});
describe.each(Object.entries(DOCUMENTS))("by %s", (_how, send) => {
  test.each(Object.entries(BAD_VALUES))("%s", (_what, fields) => refuses(send, fields));
  test.each(Object.entries(NO_OBJECTS))("%s", (_what, body) =>
    withstands(async (world) => expectRefused(await send(world, { token: world.token, body }))),
  );
});

async function refuses(send: Channel, fields: Fields): Promise<void> {
  await withstands(async (world) => {
    const whole = { ...approving(world), ...fields(world) };
    const body = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
    expectRefused(await send(world, { token: world.token, body }));
  });
}
const expectRefused = ({ status }: Response): void => {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
};

describe("whatever a request says of who decides, how and when, the decision is its link's", () => {
  const forged = {
    by: "mallory",
    how: "Timeout",
    automatic: true,
    at: "2020-01-01T00:00:00Z",
    run: "0",
    onTimeout: "Approve",
  };
  test.each(Object.entries(CHANNELS))("by %s", (_how, send) =>
    counts((world) => send(world, { token: world.token, body: { ...approving(world), ...forged } }), {
      by: "ann",
      how: "ReviewLink",
      automatic: false,
      onTimeout: "Reject",
    }),
  );
});

describe("a form of another page, which a browser sends with the reviewer's cookie", () => {
  const ORIGINS: Readonly<Record<string, Record<string, string>>> = {
    "from another site": { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    "from another site of the same host": { origin: "http://evil.localhost", "sec-fetch-site": "same-site" },
    "from another scheme": { origin: "https://localhost" },
    "from another port": { origin: "http://localhost:8080" },
    "from a host that begins so": { origin: "http://localhost.evil.example" },
    "from a sandbox": { origin: "null" },
    "from nowhere": {},
    "with an empty origin": { origin: "" },
    "with two origins": { origin: "http://localhost, https://evil.example" },
    "behind a proxy that it makes up": { origin: "https://evil.example", "x-forwarded-host": "evil.example" },
  };
  const TYPES: Readonly<Record<string, string>> = {
    "a form": "application/x-www-form-urlencoded",
    "a form in capitals": "APPLICATION/X-WWW-FORM-URLENCODED",
    "a multipart form": "multipart/form-data; boundary=x",
    "plain text": "text/plain",
    "plain text that calls itself JSON": "text/plain; application/json",
  };
  const bodyOf = (type: string, { digests }: GateWorld): string => {
    if (type.startsWith("multipart"))
      return `--x\r\ncontent-disposition: form-data; name="decision"\r\n\r\napproved\r\n--x\r\ncontent-disposition: form-data; name="digest"\r\n\r\n${digests.ask}\r\n--x--\r\n`;
    if (type.startsWith("text")) return JSON.stringify({ decision: "approved", digest: digests.ask });
    return `decision=approved&digest=${digests.ask}`;
  };
  const send = (world: GateWorld, type: string, headers: Record<string, string>) =>
    world.app.request(PATH, {
      method: "POST",
      headers: { cookie: `agentic-review-ask=${world.token}`, accept: "text/html", "content-type": type, ...headers },
      body: bodyOf(type, world),
    });

  describe.each(Object.entries(TYPES))("as %s", (_as, type) => {
    test.each(Object.entries(ORIGINS))("%s", (_where, headers) =>
      withstands(async (world) => expectRefused(await send(world, type, headers))),
    );
  });
  test.each(Object.entries(TYPES).filter(([name]) => name.includes("form")))("its own counts as %s", (_as, type) =>
    counts((world) => send(world, type, OWN_ORIGIN)),
  );
  test("text from its own page is no decision", () =>
    withstands(async (world) => expectRefused(await send(world, "text/plain", OWN_ORIGIN))));
});

describe("a permission that is not where it belongs", () => {
  const fields = (world: GateWorld) => new URLSearchParams({ decision: "approved", digest: world.digests.ask });
  const places: Readonly<Record<string, (world: GateWorld) => Response | Promise<Response>>> = {
    "in the address of a form": (world) =>
      world.app.request(`${PATH}?token=${world.token}`, { method: "POST", headers: OWN_ORIGIN, body: fields(world) }),
    "in the form": (world) => {
      const body = fields(world);
      body.set("token", world.token);
      return world.app.request(PATH, { method: "POST", headers: OWN_ORIGIN, body });
    },
    "in another gate's cookie": (world) => post(world, { cookie: `agentic-review-also=${world.token}` }),
    "in a cookie whose name begins so": (world) => post(world, { cookie: `agentic-review-ask2=${world.token}` }),
    "in a cookie in capitals": (world) => post(world, { cookie: `AGENTIC-REVIEW-ASK=${world.token}` }),
    "as a password": (world) =>
      post(world, { authorization: `Basic ${Buffer.from(`ann:${world.token}`).toString("base64")}` }),
    "without its scheme": (world) => post(world, { authorization: world.token }),
    "with its scheme twice": (world) => post(world, { authorization: `Bearer Bearer ${world.token}` }),
    "behind a bearer token that is invalid": (world) =>
      post(world, { authorization: "Bearer x", cookie: `agentic-review-ask=${world.token}` }),
    "in a header of an event": (world) =>
      world.app.request("/", {
        method: "POST",
        headers: { ...EVENT, authorization: `Bearer ${world.token}` },
        body: JSON.stringify({ ...REF, ...approving(world) }),
      }),
    "in an attribute of an event": (world) =>
      world.app.request("/", {
        method: "POST",
        headers: { ...EVENT, "ce-token": world.token },
        body: JSON.stringify({ ...REF, ...approving(world) }),
      }),
  };
  const post = (world: GateWorld, headers: Record<string, string>) =>
    world.app.request(PATH, { method: "POST", headers: { ...OWN_ORIGIN, ...headers }, body: fields(world) });
  test.each(Object.entries(places))("%s", (_where, send) =>
    withstands(async (world) => expectRefused(await send(world))),
  );
});

describe("another method or address with a valid permission", () => {
  const JSON_HEADERS = { "content-type": "application/json" };
  const METHODS = ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
  const others: Readonly<Record<string, (query: string) => [method: string, path: string, headers?: object]>> = {
    ...Object.fromEntries(METHODS.map((method) => [method, () => [method, PATH]])),
    "GET with the decision in its address": (query) => ["GET", `${PATH}?${query}`],
    "HEAD with the decision in its address": (query) => ["HEAD", `${PATH}?${query}`],
    "GET that says it is a POST": (query) => ["GET", `${PATH}?${query}`, { "x-http-method-override": "POST" }],
    "GET that says so in its address": (query) => ["GET", `${PATH}?_method=POST&${query}`],
    "POST to another gate": () => ["POST", PATH.replace(/ask$/, "also")],
    "POST to a gate that is not there": () => ["POST", PATH.replace(/ask$/, "none")],
    "POST to another workload": () => ["POST", PATH.replace("demo", "other")],
    "POST to another namespace": () => ["POST", PATH.replace("team-a", "team-b")],
    "POST to the workload": () => ["POST", PATH.replace(/\/ask$/, "")],
    "POST to a picture": () => ["POST", `${PATH}/pictures/x.png`],
    "POST to an output": () => ["POST", `${PATH}/outputs/html`],
    "POST to a gate in capitals": () => ["POST", PATH.replace(/ask$/, "ASK")],
    "POST by way of another workload": () => ["POST", PATH.replace("demo", "other%2F..%2Fdemo")],
    "POST to the gate of every object": () => ["POST", PATH.replace(/ask$/, "__proto__")],
  };
  test.each(Object.entries(others))("%s", (_what, of) =>
    withstands(async (world) => {
      const body = approving(world);
      const [method, path, headers] = of(new URLSearchParams(body).toString());
      const authorization = `Bearer ${world.token}`;
      const response = await world.app.request(path, {
        method,
        headers: { ...JSON_HEADERS, authorization, ...headers },
        ...(["GET", "HEAD"].includes(method) ? {} : { body: JSON.stringify(body) }),
      });
      if (!["GET", "HEAD"].includes(method)) expectRefused(response);
    }),
  );
});

const EVENT = {
  "ce-specversion": "1.0",
  "ce-id": "1",
  "ce-source": "/test",
  "ce-type": "dev.agentic.review.decided",
  "content-type": "application/json",
};
describe("a CloudEvent that is none, or another one", () => {
  const send = ({ app }: GateWorld, headers: object, body: string) =>
    app.request("/", { method: "POST", headers: headers as Record<string, string>, body });
  const dataOf = (world: GateWorld) => ({ ...REF, ...approving(world), token: world.token });
  const wrong: Readonly<Record<string, Record<string, string | undefined>>> = {
    "of another type": { "ce-type": "dev.agentic.review.requested" },
    "of a type in capitals": { "ce-type": "DEV.AGENTIC.REVIEW.DECIDED" },
    "of a type that begins so": { "ce-type": "dev.agentic.review.decided.v2" },
    "without a type": { "ce-type": undefined },
    "without an id": { "ce-id": undefined },
    "without a source": { "ce-source": undefined },
    "without a version": { "ce-specversion": undefined },
    "of an old version": { "ce-specversion": "0.1" },
    "whose data is text": { "content-type": "text/plain" },
    "whose data is XML": { "content-type": "application/xml" },
    "that is a form": { "content-type": "application/x-www-form-urlencoded" },
    "that says it is structured": { "content-type": "application/cloudevents+json" },
    "that says it is a batch": { "content-type": "application/cloudevents-batch+json" },
  };
  test.each(Object.entries(wrong))("%s", (_what, over) =>
    withstands(async (world) => {
      const all = Object.entries({ ...EVENT, ...over }).filter(([, value]) => value !== undefined);
      expectRefused(await send(world, Object.fromEntries(all), JSON.stringify(dataOf(world))));
    }),
  );
  const bodies: Readonly<Record<string, (data: object) => string>> = {
    "cut in the middle": (data) => JSON.stringify(data).slice(0, -9),
    "twice in one body": (data) => JSON.stringify(data).repeat(2),
    "in base64": (data) => Buffer.from(JSON.stringify(data)).toString("base64"),
    "with its decision twice, the last one none": (data) => JSON.stringify(data).replace(/}$/, ',"decision":"maybe"}'),
    "for another gate": (data) => JSON.stringify({ ...data, gate: "also" }),
    "for a gate that is not there": (data) => JSON.stringify({ ...data, gate: "none" }),
    "for an empty gate": (data) => JSON.stringify({ ...data, gate: "" }),
    "for a list of gates": (data) => JSON.stringify({ ...data, gate: ["ask"] }),
    "for another workload": (data) => JSON.stringify({ ...data, name: "other" }),
    "for another namespace": (data) => JSON.stringify({ ...data, namespace: "team-b" }),
    "without a workload": (data) => JSON.stringify({ ...data, name: undefined }),
    empty: () => "",
  };
  test.each(Object.entries(bodies))("%s", (_what, bodyOf) =>
    withstands(async (world) => expectRefused(await send(world, EVENT, bodyOf(dataOf(world))))),
  );
  test("a batch of two", () =>
    withstands(async (world) => {
      const event = { specversion: "1.0", id: "1", source: "/test", type: EVENT["ce-type"], data: dataOf(world) };
      const headers = { "content-type": "application/cloudevents-batch+json" };
      expectRefused(await send(world, headers, JSON.stringify([event, event])));
    }));
});

describe("a valid link when there is nothing left to decide", () => {
  const DAY = 24 * 3600_000;
  const STATES: Readonly<Record<string, (world: GateWorld) => unknown>> = {
    "at the timeout, which nobody has seen yet": ({ harness }) => {
      const { timeoutAt = "" } = reviewOf(harness.status, "ask") ?? {};
      harness.pass(Date.parse(timeoutAt) - harness.deps.now().getTime());
    },
    "a day after the timeout": ({ harness }) => harness.pass(2 * DAY),
    "rejected by somebody else": ({ harness }) => harness.decide("rejected", "ask"),
    "rejected, and the run has ended": async ({ harness }) => harness.settle({ decision: "rejected" }),
    stopped: async ({ harness }) => {
      harness.edit({ stop: true });
      await harness.settle();
    },
    "stopped, which nobody has seen yet": ({ harness }) => harness.edit({ stop: true }),
    "stopped in Argo": async ({ harness }) => {
      harness.editWorkflow((workflow) => ({ ...workflow, spec: { ...(workflow.spec as object), shutdown: "Stop" } }));
      await harness.settle({ rounds: 5 });
    },
    "being deleted": ({ harness }) => harness.remove(),
    deleted: async ({ harness }) => {
      harness.remove();
      await harness.settle({ rounds: 5 });
    },
  };
  describe.each(Object.entries(STATES))("%s", (_when, before) => {
    test.each(Object.entries(CHANNELS))("by %s", (_how, send) =>
      withstands(
        async (world) => expectRefused(await send(world, { token: world.token, body: approving(world) })),
        before,
      ),
    );
  });
});
