import { type StepContext, TerminalError } from "agentic-kubernetes/agent";
import { z } from "zod";
import { pageAddress } from "./address.js";

export const pageItemSchema = z.object({ site: z.string(), url: z.string() });
/** What discover returns, and audit works on. */
export type PageItem = z.infer<typeof pageItemSchema>;

/** @throws TerminalError InvalidItem */
export function siteItem({ input }: StepContext): string {
  const site = typeof input.item === "string" ? pageAddress(input.item) : undefined;
  if (site === undefined)
    throw new TerminalError("InvalidItem", `expected the address of a site, got ${JSON.stringify(input.item)}`);
  return site;
}

/** @throws TerminalError InvalidItem */
export function pageItem({ input }: StepContext): PageItem {
  const parsed = pageItemSchema.safeParse(input.item);
  if (!parsed.success || pageAddress(parsed.data.url) === undefined)
    throw new TerminalError("InvalidItem", `expected { site, url }, got ${JSON.stringify(input.item)}`);
  return parsed.data;
}
