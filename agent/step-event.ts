#!/usr/bin/env node
/** `npx step-event STEP …`: writes the event of a step, and prints the arguments by which `func invoke` sends it. */
import { parseArgs } from "node:util";
import type { Item } from "../engine/result.ts";
import { allowListFor } from "../lib/allow-list.ts";
import { readSigningKey, requestByHand, writeInvocation } from "./invocation.ts";

const USAGE = `usage: func invoke --target URL $(npx step-event STEP --key FILE [--item ITEM] [--param NAME=VALUE]... [--file FILE])
  STEP     the name of the step
  --key    PEM of the Ed25519 key whose public half is the agent's STEP_TOKEN_PUBLIC_KEY
  --item   what the step works on: a JSON object, or else text, e.g. a URL
  --param  an input that the step's \`with\` names: JSON, or else text; may be given again
  --file   where the event's data goes (default: step-event.json)`;

/** Stands for the workload, the run and the agent's revision, which a step that is invoked by hand has not. */
const BY_HAND = "by-hand";

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
  const item = values.item === undefined ? undefined : itemOf(values.item);
  // The same input is the same step: invoked again, it is answered from its record.
  const request = {
    workload: { namespace: "default", name: BY_HAND, uid: BY_HAND },
    run: BY_HAND,
    step,
    revision: BY_HAND,
    input: {
      ...(item === undefined ? {} : { item }),
      params: Object.fromEntries(values.param.map(paramOf)),
      from: {},
    },
  };
  const event = await requestByHand(
    request,
    allowListFor({ egress: { item: true } }, item, []),
    await readSigningKey(values.key),
    new Date(),
  );
  console.log(await writeInvocation(event, values.file));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function itemOf(text: string): Item {
  const value = jsonOr(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Item) : text;
}

function paramOf(text: string): [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`--param ${JSON.stringify(text)}: expected NAME=VALUE`);
  return [text.slice(0, at), jsonOr(text.slice(at + 1))];
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
