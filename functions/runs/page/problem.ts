import type { ErrorHandler } from "hono";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { RetryableError } from "../../../lib/errors.ts";
import type { Logger } from "../../../lib/log.ts";
import { auditDenied } from "../denied.ts";
import { stillPage } from "./live.ts";

/** What a browser shows in the place of a page that failed. */
export function problemPage(log: Logger): ErrorHandler {
  return (error, c) => {
    const page = (title: string, message: string) => stillPage(title, html`<h1>${title}</h1><p>${message}</p>`);
    if (error instanceof HTTPException && error.status === 403) {
      auditDenied(log, c, "ForeignForm");
      return c.html(
        page("Refused", "This form was not sent by the page itself. Open the page and sign in there."),
        403,
      );
    }
    if (error instanceof RetryableError) {
      log.info({ err: error }, "page of runs failed");
      c.header("retry-after", String(error.retryAfterSeconds));
      return c.html(page("Not available", error.message), 503);
    }
    log.error({ err: error }, "page of runs failed");
    return c.html(page("Defect", "The page has a defect. The log says more."), 500);
  };
}
