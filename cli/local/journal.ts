import { type FileHandle, open, readFile } from "node:fs/promises";
import { z } from "zod";

const entrySchema = z.object({
  identity: z.string(),
  outcome: z.enum(["succeeded", "failed"]),
  /** Of the result in the object store (lib/durable/results.ts). */
  digest: z.string(),
  at: z.iso.datetime(),
  /** From its first request in the command that ended it. */
  ms: z.number().min(0).optional(),
});
export type JournalEntry = z.infer<typeof entrySchema>;

/** How the steps of a run folder ended, one line for each end. What the node outputs of a Workflow are in a cluster. */
export interface Journal {
  /** The last end of a step. */
  find(identity: string): JournalEntry | undefined;
  /** On disk when it resolves. */
  append(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

/** @returns the journal, and how many of its lines could not be read */
export async function openJournal(path: string): Promise<{ journal: Journal; unreadable: number }> {
  const { text, entries, unreadable } = await readEntries(path);
  const file = await open(path, "a", 0o600);
  // A command that was killed while it wrote left the last line without its end.
  if (text !== "" && !text.endsWith("\n")) await file.appendFile("\n");
  return { journal: journalOf(file, entries), unreadable };
}

/** The journal as it is on disk, for a command that changes nothing. */
export async function readJournal(path: string): Promise<Pick<Journal, "find">> {
  const { entries } = await readEntries(path);
  return { find: (identity) => entries.get(identity) };
}

async function readEntries(path: string) {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const entries = new Map<string, JournalEntry>();
  let unreadable = 0;
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const entry = parseLine(line);
    if (entry) entries.set(entry.identity, entry);
    else unreadable++;
  }
  return { text, entries, unreadable };
}

function journalOf(file: FileHandle, entries: Map<string, JournalEntry>): Journal {
  return {
    find: (identity) => entries.get(identity),
    async append(entry) {
      await file.appendFile(`${JSON.stringify(entry)}\n`);
      await file.datasync();
      entries.set(entry.identity, entry);
    },
    close: () => file.close(),
  };
}

function parseLine(line: string): JournalEntry | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
