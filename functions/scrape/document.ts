import type { Response } from "playwright-core";
import { hostAllowed } from "../../lib/allow-list.ts";
import { checkTunnel } from "../../lib/edges/egress-client.ts";
import { EGRESS_HEADER, egressRefusal } from "../../lib/edges/egress-refusal.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { blockedBy } from "./block-page.ts";
import { isPage, navigationFailure, statusFailure } from "./failures.ts";
import { readAnswer } from "./in-page.ts";
import { ask, type Tab } from "./tab.ts";

/** Opens the page. Returns at the document's first byte, whatever its status. */
export async function navigate(tab: Tab): Promise<Response> {
  try {
    const response = await tab.page.goto(tab.url.href, { waitUntil: "commit", timeout: tab.wait.answer });
    if (response) return response;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw await explainFailure(tab, error.message, tab.traffic.lastFailure()?.url ?? tab.url.href, error);
  }
  throw new RetryableError("BadResponse", `${tab.url.host} sent no document`);
}

/** The document that the page shows now. @throws TerminalError or RetryableError that says why it is no page of the site */
export async function requireDocument(tab: Tab): Promise<Response> {
  const failure = tab.traffic.lastFailure();
  if (failure) throw await explainFailure(tab, failure.errorText, failure.url);
  const response = tab.traffic.lastDocument();
  if (!response) throw new RetryableError("BadResponse", `${tab.url.host} sent no document`);
  const url = new URL(response.url());
  const status = response.status();
  const headers = response.headers();
  const refusal = egressRefusal(status, headers[EGRESS_HEADER], url);
  if (refusal) throw refusal;
  if (status < 400) {
    if (isPage(headers["content-type"])) return response;
    throw new TerminalError("NotAPage", `${url.href} is no page but ${headers["content-type"]}`);
  }
  const seen = await ask(tab, (page) => page.evaluate(readAnswer, { dom: 200_000, text: 20_000 }));
  const block = blockedBy({ ...seen, status, headers });
  if (block) throw new TerminalError("Blocked", `${url.host} answers ${status} with a block page: ${block}`);
  throw statusFailure(status, url, headers["retry-after"]);
}

/** Why a navigation failed. Chromium does not say why the proxy opened no tunnel, so this asks the proxy again. */
async function explainFailure(tab: Tab, message: string, failed: string, cause?: Error): Promise<unknown> {
  const target = URL.canParse(failed) ? new URL(failed) : tab.url;
  if (/ERR_ABORTED|Download is starting/.test(message)) {
    const type = tab.traffic.lastDocument()?.headers()["content-type"];
    return new TerminalError("NotAPage", `${target.href} is no page${type ? ` but ${type}` : ""}`);
  }
  if (/ERR_TUNNEL_CONNECTION_FAILED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_(CLOSED|RESET)/.test(message)) {
    if (!hostAllowed(target.hostname, tab.allow)) return egressRefusal(403, "HostNotAllowed", target);
    if (target.protocol === "https:") {
      try {
        await checkTunnel(tab.access, target, tab.signal);
      } catch (reason) {
        return reason;
      }
    }
    return new RetryableError("BadResponse", `${target.host} ended the connection without an answer`, { cause });
  }
  return navigationFailure(message, target) ?? cause ?? new RetryableError("BadResponse", `${target.host}: ${message}`);
}
