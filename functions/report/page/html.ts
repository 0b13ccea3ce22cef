import type { html } from "hono/html";

/** A piece of a page; the template has escaped its values. */
export type Html = ReturnType<typeof html>;
