#!/usr/bin/env node
/** `npx step-event STEP …`: an event for an agent's step, and the arguments by which `func invoke` sends it. */
import { parseArgs } from "node:util";
import { allowListFor } from "../lib/allow-list.ts";
import { stepIdentity } from "../lib/identity.ts";
import { readSigningKey, stepRequested, writeInvocation } from "./invocation.ts";

const USAGE = `usage: func invoke --target URL $(npx step-event STEP --key FILE [--item TEXT] [--param NAME=VALUE]... [--file FILE])
  STEP     the step that the agent speaks for
  --key    PEM of the Ed25519 key whose public half is the agent's STEP_TOKEN_PUBLIC_KEY
  --item   what the step works on, e.g. a site's URL
  --param  a value of the workload's spec: JSON, or else text; may be given again
  --file   where the event's data goes (default: step-event.json)`;

const UID = "by-hand";
const DEADLINE_MS = 5 * 60_000;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      key: { type: "string" },
      item: { type: "string" },
      param: { type: "string", multiple: true, default: [] },
      file: { type: "string", default: "step-event.json" },
    },
  });
  const [step, ...more] = positionals;
  if (step === undefined || more.length > 0) throw new Error(USAGE);
  const { item } = values;
  const input = { ...(item === undefined ? {} : { item }), params: Object.fromEntries(values.param.map(paramOf)) };
  // The same question is the same step: asked again, it is answered from its record.
  const id = stepIdentity({ uid: UID, step, ...input, inputs: {} });
  const request = {
    workload: { namespace: "default", name: UID, uid: UID },
    run: UID,
    step,
    input: { ...input, from: {} },
    deadline: new Date(Date.now() + DEADLINE_MS).toISOString(),
    retryLimit: 3,
  };
  const allow = allowListFor(item !== undefined && URL.canParse(item) ? item : undefined, []);
  const event = await stepRequested(id, request, { allow }, await readSigningKey(values.key));
  console.log(await writeInvocation(event, values.file));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function paramOf(text: string): [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`--param ${JSON.stringify(text)}: expected NAME=VALUE`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}
