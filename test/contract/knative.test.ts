import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendEvent } from "../kubernetes/broker.ts";
import { apply, ask, kubectl, until } from "../kubernetes/cluster.ts";
import { NAMESPACE } from "../kubernetes/namespaces.ts";
import { example, SYSTEM } from "../kubernetes/workload.ts";

// How Knative Eventing 1.20 behaves, where the product leans on it: its own Broker, with a Trigger to an inbox beside it.

const TYPE = "test.contract";
const REPLY = "test.reply";
const INBOX = { namespace: SYSTEM, name: "inbox" };

const inboxRef = { ref: { apiVersion: "v1", kind: "Service", ...INBOX } };
/** One for all: of several that are deleted at once, Knative may keep one among its channel's subscribers. */
const trigger = {
  apiVersion: "eventing.knative.dev/v1",
  kind: "Trigger",
  metadata: { namespace: SYSTEM, name: "contract" },
  spec: {
    broker: "default",
    filters: [{ any: [TYPE, REPLY, "dev.knative.apiserver.ref.add"].map((type) => ({ exact: { type } })) }],
    subscriber: inboxRef,
    delivery: {
      retry: 3,
      backoffPolicy: "exponential",
      backoffDelay: "PT0.2S",
      deadLetterSink: { ...inboxRef, uri: "/dead" },
    },
  },
};

beforeAll(async () => {
  await apply(trigger);
  await kubectl(["-n", SYSTEM, "wait", "--for=condition=Ready", "--timeout=60s", `trigger/${trigger.metadata.name}`]);
});
afterAll(() => kubectl(["-n", SYSTEM, "delete", "trigger", trigger.metadata.name]));

interface Received {
  readonly at: string;
  // biome-ignore lint/suspicious/noExplicitAny: an event of any kind.
  readonly event: any;
}
async function received(match: (event: Received["event"]) => boolean): Promise<Received[]> {
  const { body } = await ask(INBOX, "/events");
  return (JSON.parse(body) as Received[]).filter(({ event }) => match(event));
}
const untilReceived = (what: string, count: number, match: (event: Received["event"]) => boolean, ms = 60_000) =>
  until(
    what,
    async () => {
      const found = await received(match);
      return found.length >= count ? found : undefined;
    },
    { ms },
  );

let serial = 0;
/** Sends an event that says how it wants to be answered. @returns its id */
async function send(answer: object): Promise<string> {
  const id = `${process.pid}-${Date.now()}-${serial++}`;
  await sendEvent({ id, type: TYPE, data: { answer } });
  return id;
}

describe("the Broker, with messaging.knative.dev/async-handler", () => {
  test("answers its sender at once, and holds a delivery for more than a minute without giving it up", async () => {
    const started = Date.now();
    const id = await send({ delayMs: 70_000, reply: { id: "held", type: REPLY, subject: String(started) } });
    expect(Date.now() - started).toBeLessThan(5000);
    await untilReceived(
      "the reply of the held delivery",
      1,
      ({ type, subject }) => type === REPLY && subject === String(started),
      120_000,
    );
    expect(await received((event) => event.id === id)).toHaveLength(1);
  });

  test.each([404, 429, 503])("delivers again after %d", async (status) => {
    const id = await send({ status: [status, 200] });
    expect(await untilReceived("the second delivery", 2, (event) => event.id === id)).toHaveLength(2);
  });

  test.each([400, 401])("does not after %d: the event goes to the dead letter sink, and says so", async (status) => {
    const id = await send({ status: [status, 200] });
    const [first, letter] = await untilReceived("the dead letter", 2, (event) => event.id === id);
    expect(first?.event.knativeerrorcode).toBeUndefined();
    expect(Number(letter?.event.knativeerrorcode)).toBe(status);
    expect(letter?.event.type).toBe(TYPE);
  });

  test("gives up after its retries: a dead letter", async () => {
    const id = await send({ status: [503, 503, 503, 503, 200] });
    const all = await untilReceived("the dead letter", 5, (event) => event.id === id);
    expect(all.map(({ event }) => event.knativeerrorcode).slice(0, 4)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(Number(all[4]?.event.knativeerrorcode)).toBe(503);
  });

  test("takes an event in the answer as a new event", async () => {
    const id = await send({ reply: { id: "r1", type: REPLY, subject: "of-a-reply" } });
    await untilReceived("the reply", 1, ({ type, subject }) => type === REPLY && subject === "of-a-reply");
    expect(await received((event) => event.id === id)).toHaveLength(1);
  });

  test("takes an answer that is no event as a failure, and delivers again", async () => {
    const id = await send({ text: "done" });
    await untilReceived("another delivery", 2, (event) => event.id === id);
  });
});

describe("ApiServerSource in Reference mode", () => {
  test("says which object was added, and nothing of what it holds", async () => {
    await apply(example(NAMESPACE, "referenced", { suspend: true }));
    const [first] = await untilReceived(
      "the event",
      1,
      ({ type, data }) => type === "dev.knative.apiserver.ref.add" && data.name === "referenced",
    );
    expect(first?.event.data).toMatchObject({ kind: "AgentWorkload", namespace: NAMESPACE, name: "referenced" });
    expect(first?.event.data.spec).toBeUndefined();
  });
});
