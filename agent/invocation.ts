import type { KeyObject } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { privateKey } from "../lib/keys.ts";
import { STEP_REQUESTED, type StepRequest } from "../lib/step.ts";
import { mintStepToken, type StepClaims } from "../lib/token.ts";

// What `func invoke` sends is made here: a step's token is signed, so that nobody can type it.

const SOURCE = "/by-hand";
/** Minutes, as of every step token: made for the one invocation that follows. */
const TOKEN_LIFE_MS = 10 * 60_000;

export interface EventByHand {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/** Writes the event's data to a file. @returns the arguments by which `func invoke` sends it; a shell may split them at spaces */
export async function writeInvocation({ id, type, data }: EventByHand, file: string): Promise<string> {
  if (/\s/.test(file)) throw new Error(`--file ${JSON.stringify(file)}: a path without spaces is needed`);
  // Who has the token may do this step.
  await writeFile(file, `${JSON.stringify(data)}\n`, { mode: 0o600 });
  return `--format cloudevent --type ${type} --source ${SOURCE} --id ${id} --file ${file}`;
}

/** A step's request, its token minted. */
export async function stepRequested(
  id: string,
  request: Omit<StepRequest, "token">,
  permitted: Pick<StepClaims, "allow" | "budgetUsd">,
  key: KeyObject,
): Promise<EventByHand> {
  const claims = { ...permitted, sub: request.workload.uid, jti: id, run: request.run };
  const token = await mintStepToken(claims, key, new Date(Date.now() + TOKEN_LIFE_MS));
  return { id, type: STEP_REQUESTED, data: { ...request, token } };
}

/** @throws Error that says how to make one */
export async function readSigningKey(file: string | undefined): Promise<KeyObject> {
  const pem = file === undefined ? undefined : await readFile(file, "utf8");
  return privateKey("--key FILE", pem);
}
