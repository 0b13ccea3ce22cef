import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const { AGENTIC_CACHE, XDG_CACHE_HOME } = process.env;

/** Images, and all that is kept to build the next one faster. It may be removed at any time. */
export const imageCache = join(
  AGENTIC_CACHE ?? XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "agentic-kubernetes",
  "images",
);
mkdirSync(imageCache, { recursive: true });
