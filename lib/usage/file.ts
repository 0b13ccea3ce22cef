import type { KeyObject } from "node:crypto";
import { canonicalJson } from "../../engine/canonical.ts";
import { parseJson } from "../parse-json.ts";
import { openSigned, readUnverified, signFile } from "../signed-file.ts";
import { type UsageRecord, usageRecordSchema } from "./record.ts";

const TYPE = "agentic-usage+jws";

/** A record as a file: signed, or without a key as it is. */
export async function usageFile(record: UsageRecord, privateKey?: KeyObject): Promise<string> {
  return privateKey ? signFile(TYPE, record, privateKey) : `${canonicalJson(record)}\n`;
}

/** What a file says, whoever wrote it; undefined: it is no record. */
export function readUsageFile(file: string): UsageRecord | undefined {
  const { success, data } = usageRecordSchema.safeParse(readUnverified(file) ?? parseJson(file));
  return success ? data : undefined;
}

/** Whether one of the keys signed it. */
export async function isSignedUsage(file: string, publicKeys: readonly KeyObject[]): Promise<boolean> {
  const opened = await Promise.all(publicKeys.map((key) => openSigned(TYPE, file, key)));
  return opened.some((one) => "statement" in one);
}
