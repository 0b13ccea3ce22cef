import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

// Files that survive a power cut. Only this user can read them.

/** Creates the folder and its parents. When it resolves, the name of each new one is on disk. */
export async function makeFolder(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === firstMade) return;
  }
}

/**
 * Writes a file under a temporary name that starts with a dot. The caller renames or links it, then calls syncFolder.
 * Where it cannot be written, nothing of it is left.
 * @returns its path
 */
export async function writeDraft(folder: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, `.${randomUUID()}.draft`);
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return path;
}

/** Creates or replaces a file in a folder that is there. A reader sees the old content or the new, never a part, whoever else writes it. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  // In the same folder: a rename is atomic only within one file system.
  const draft = await writeDraft(dirname(path), content);
  try {
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Puts the names in a folder on disk: after a rename or a link only the folder itself holds them. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
