import type { html } from "hono/html";

/** A piece of page whose values were escaped as they were put in. */
export type Html = ReturnType<typeof html>;
