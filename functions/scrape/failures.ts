import { RetryableError, TerminalError } from "../../lib/errors.ts";

type StepError = TerminalError | RetryableError;

/** What an error of Chromium's network stack means. Undefined for an error that is none of them. */
export function navigationFailure(message: string, url: URL): StepError | undefined {
  const code = /net::(ERR_[A-Z0-9_]+)/.exec(message)?.[1];
  if (code) {
    const rule = NET_ERRORS.find(([pattern]) => pattern.test(code));
    return rule?.[1](`${url.host}: ${code}`, url);
  }
  if (/Download is starting/.test(message))
    return new TerminalError("NotAPage", `${url.href} is a download and no page`);
  if (/Timeout [\d.]+ms exceeded/.test(message)) return tooSlow(url);
  return undefined;
}

export function tooSlow(url: URL): RetryableError {
  return new RetryableError("NavigationTimeout", `${url.host} did not answer in time`);
}

/** No fault of the page's. */
export function egressAway(message: string): RetryableError {
  return new RetryableError("EgressUnavailable", message, { countsAsAttempt: false });
}

const NET_ERRORS: readonly (readonly [RegExp, (detail: string, url: URL) => StepError])[] = [
  [/^ERR_(CERT|SSL|BAD_SSL)/, (d) => new TerminalError("InvalidCertificate", `the certificate is not valid: ${d}`)],
  [/^ERR_TOO_MANY_REDIRECTS/, (d) => new TerminalError("RedirectLoop", `redirects never end: ${d}`)],
  [/^ERR_UNSAFE_PORT/, (d) => new TerminalError("UnsafePort", `browsers refuse this port: ${d}`)],
  [/^ERR_(INVALID_REDIRECT|UNSAFE_REDIRECT|UNKNOWN_URL_SCHEME|DISALLOWED)/, (d) => new TerminalError("BadRedirect", d)],
  [/^ERR_PROXY_CONNECTION_FAILED/, (d) => egressAway(`the egress proxy does not answer: ${d}`)],
  [/^ERR_(INTERNET_DISCONNECTED|NETWORK_CHANGED)/, (d) => new RetryableError("NetworkChanged", d)],
  [/^ERR_(TIMED_OUT|CONNECTION_TIMED_OUT)/, (_, url) => tooSlow(url)],
  [/^ERR_CONNECTION/, (d) => new RetryableError("ConnectionRefused", `the connection broke: ${d}`)],
  [/^ERR_(EMPTY_RESPONSE|INVALID|HTTP2|QUIC|CONTENT|INCOMPLETE|RESPONSE)/, (d) => new RetryableError("BadResponse", d)],
];

/** What a status of 400 and above means, unless the page is a block page. */
export function statusFailure(status: number, url: URL, retryAfter: string | undefined): StepError | undefined {
  if (status < 400) return undefined;
  const message = `${url.href} answers ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const seconds = Number(retryAfter);
    return new RetryableError(status === 429 ? "TooManyRequests" : "HttpError", message, {
      retryAfterSeconds: Number.isFinite(seconds) && seconds > 0 ? Math.min(Math.ceil(seconds), 120) : 5,
    });
  }
  return new TerminalError("HttpError", message);
}

/** Whether a browser renders this content type as a document. It guesses an absent one. */
export function isPage(contentType: string | undefined): boolean {
  return (
    contentType === undefined ||
    /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(contentType) ||
    contentType.trim() === ""
  );
}
