import { homedir } from "node:os";
import { join } from "node:path";

const { AGENTIC_CACHE, XDG_CACHE_HOME } = process.env;

/** What was built, for every work tree of this user. */
export const cache = join(AGENTIC_CACHE ?? XDG_CACHE_HOME ?? join(homedir(), ".cache"), "agentic-kubernetes");
