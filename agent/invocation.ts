import type { KeyObject } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { privateKey } from "../lib/keys.ts";
import { identityOfRequest, STEP_REQUESTED, type StepRequest, type UnsignedRequest } from "../lib/step-events.ts";
import { mintStepTokens, TOKEN_LIFE_MS } from "../lib/token.ts";

// Makes what `func invoke` sends. The tokens of a step are signed, so nobody can type them.

const SOURCE = "/by-hand";
const DEADLINE_MS = 5 * 60_000;
const RETRY_LIMIT = 3;

export interface EventByHand {
  /** The identity of the step. */
  readonly id: string;
  readonly data: StepRequest;
}

/** A request whose tokens allow the hosts of `allow`. `now`: its deadline and the life of its tokens start then. */
export async function requestByHand(
  request: UnsignedRequest,
  allow: readonly string[],
  key: KeyObject,
  now: Date,
): Promise<EventByHand> {
  const id = identityOfRequest(request);
  const claims = {
    sub: request.workload.uid,
    jti: id,
    run: request.run,
    allow: [...allow],
    deadline: new Date(now.getTime() + DEADLINE_MS).toISOString(),
    retryLimit: RETRY_LIMIT,
  };
  const tokens = await mintStepTokens(claims, key, new Date(now.getTime() + TOKEN_LIFE_MS));
  return { id, data: { ...request, ...tokens } };
}

/** Writes the event's data to a file. @returns the arguments by which `func invoke` sends it; a shell may split them at spaces */
export async function writeInvocation({ id, data }: EventByHand, file: string): Promise<string> {
  if (/\s/.test(file)) throw new Error(`--file ${JSON.stringify(file)}: use a path without spaces`);
  // Whoever has the tokens may run this step.
  await writeFile(file, `${JSON.stringify(data)}\n`, { mode: 0o600 });
  return `--format cloudevent --type ${STEP_REQUESTED} --source ${SOURCE} --id ${id} --file ${file}`;
}

/** @throws Error that says how to make one */
export async function readSigningKey(file: string | undefined): Promise<KeyObject> {
  const pem = file === undefined ? undefined : await readFile(file, "utf8");
  return privateKey("--key FILE", pem);
}
