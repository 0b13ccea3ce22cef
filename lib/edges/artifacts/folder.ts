import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { syncFolder, writeDraft } from "../durable-files.ts";
import type { ObjectStore } from "./object-store.ts";

/** Objects as files below `root`, which the first write creates. Only this user can read them. */
export function createFolderStore(root: string): ObjectStore {
  const pathOf = (key: string): string => join(resolve(root), key);
  return {
    async read(key) {
      try {
        return await readFile(pathOf(key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(key, bytes) {
      const path = pathOf(key);
      const folder = dirname(path);
      const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 });
      // In the same folder: a rename is atomic only within one file system.
      const draft = await writeDraft(folder, bytes);
      try {
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      // A name is on disk when the folder that holds it is synced; so is the name of each folder that was just made.
      const last = firstMade === undefined ? folder : dirname(firstMade);
      for (let at = folder; ; at = dirname(at)) {
        await syncFolder(at);
        if (at === last) break;
      }
    },
    remove: (scope) => rm(pathOf(scope), { recursive: true, force: true }),
  };
}
