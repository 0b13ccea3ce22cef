import { z } from "zod";
import type { StepContext } from "../../lib/durable/durable.ts";
import { TerminalError } from "../../lib/errors.ts";
import { schemaProblems } from "../../lib/schema-problems.ts";

/** How a site is visited. */
export interface SiteSettings {
  /** BCP 47: of the browser, and what it asks for. */
  readonly locale: string;
  /** Between two visits to its host, at least. */
  readonly paceMs: number;
}

/** The workload's input `settings`. */
const settingsSchema = z
  .array(
    z.strictObject({
      site: z.string(),
      language: z
        .string()
        .regex(/^[a-z]{2,3}$/)
        .optional(),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/)
        .optional(),
      pace: z.number().min(1).max(60).optional(),
    }),
  )
  .default([]);

/** `site`: normalized. @throws TerminalError InvalidInput */
export function siteSettings({ input: { params } }: Pick<StepContext, "input">, site: string): SiteSettings {
  const parsed = settingsSchema.safeParse(params["settings"]);
  if (!parsed.success) throw new TerminalError("InvalidInput", `settings are invalid: ${schemaProblems(parsed.error)}`);
  const [own = { site }, ...others] = parsed.data.filter((one) => URL.parse(one.site)?.href === site);
  if (others.length > 0) throw new TerminalError("InvalidInput", `settings name ${site} more than once`);
  const { language = "en", country = own.language === undefined ? "US" : undefined, pace = 0 } = own;
  return { locale: country === undefined ? language : `${language}-${country}`, paceMs: pace * 1000 };
}
