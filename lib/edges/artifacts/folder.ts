import { link, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { makeFolder, replaceFile, syncFolder, writeDraft } from "../durable-files.ts";
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
    async create(key, bytes) {
      const path = pathOf(key);
      const folder = dirname(path);
      await makeFolder(folder);
      const draft = await writeDraft(folder, bytes);
      try {
        await link(draft, path);
        await syncFolder(folder);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      } finally {
        await rm(draft, { force: true });
      }
    },
    async *list(prefix, modifiedSince) {
      const entries = await readdir(pathOf(prefix), { recursive: true, withFileTypes: true }).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT") return [];
          throw error;
        },
      );
      const keys: string[] = [];
      for (const entry of entries) {
        // A draft is no object yet.
        if (!entry.isFile() || entry.name.startsWith(".")) continue;
        const path = join(entry.parentPath, entry.name);
        if (modifiedSince && (await stat(path)).mtime < modifiedSince) continue;
        keys.push(relative(resolve(root), path));
      }
      yield keys;
    },
    remove: (scope) => rm(pathOf(scope), { recursive: true, force: true }),
  };
}
