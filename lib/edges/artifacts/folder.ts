import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { replaceFile, syncFolder } from "../durable-files.ts";
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
      await replaceFile(path, bytes);
      if (firstMade === undefined) return;
      // The name of a folder that was just made is on disk when the folder that holds it is synced.
      for (let made = folder; ; made = dirname(made)) {
        await syncFolder(dirname(made));
        if (made === firstMade) return;
      }
    },
    remove: (scope) => rm(pathOf(scope), { recursive: true, force: true }),
  };
}
