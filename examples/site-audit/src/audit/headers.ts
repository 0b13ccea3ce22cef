import type { Finding } from "../finding.js";

type Headers = Readonly<Record<string, string>>;

interface HeaderRule {
  readonly rule: string;
  readonly header: string;
  readonly impact: Finding["impact"];
  readonly title: string;
  /** What is wrong with the response, or undefined. */
  readonly problem: (headers: Headers) => string | undefined;
}

const HALF_A_YEAR_SECONDS = 182 * 24 * 3600;
const missing = (header: string): string => `The response has no ${header}.`;
const policyOf = (headers: Headers): string => headers["content-security-policy"] ?? "";

const RULES: readonly HeaderRule[] = [
  {
    rule: "content-security-policy",
    header: "Content-Security-Policy",
    impact: "serious",
    title: "No strict Content-Security-Policy: injected code could run",
    problem(headers) {
      const policy = policyOf(headers);
      if (policy === "") return missing("Content-Security-Policy");
      const scripts = directive(policy, "script-src") ?? directive(policy, "default-src");
      if (scripts === undefined) return "The policy has neither script-src nor default-src: it limits no script.";
      // A nonce or hash switches 'unsafe-inline' off.
      const isInlineAllowed = /'unsafe-inline'/.test(scripts) && !/'(nonce-|sha\d{3}-|strict-dynamic')/.test(scripts);
      return isInlineAllowed ? "The policy allows inline scripts ('unsafe-inline')." : undefined;
    },
  },
  {
    rule: "strict-transport-security",
    header: "Strict-Transport-Security",
    impact: "serious",
    title: "Strict-Transport-Security is missing or short: browsers may go back to plain HTTP",
    problem(headers) {
      const value = headers["strict-transport-security"];
      if (value === undefined) return missing("Strict-Transport-Security");
      const age = Number(/max-age="?(\d+)/i.exec(value)?.[1] ?? 0);
      return age < HALF_A_YEAR_SECONDS ? `max-age is ${age} seconds: less than half a year.` : undefined;
    },
  },
  {
    rule: "frame-protection",
    header: "X-Frame-Options",
    impact: "moderate",
    title: "Other sites can show the page inside theirs",
    problem(headers) {
      if (directive(policyOf(headers), "frame-ancestors") !== undefined) return undefined;
      const value = headers["x-frame-options"];
      if (value === undefined) return "The response has neither frame-ancestors in its policy nor X-Frame-Options.";
      return /^(deny|sameorigin)$/i.test(value.trim()) ? undefined : `X-Frame-Options is ${JSON.stringify(value)}.`;
    },
  },
  {
    rule: "content-type-options",
    header: "X-Content-Type-Options",
    impact: "moderate",
    title: "Browsers guess what a file is",
    problem(headers) {
      const value = headers["x-content-type-options"];
      if (value === undefined) return missing("X-Content-Type-Options");
      return value.trim().toLowerCase() === "nosniff" ? undefined : `It is ${JSON.stringify(value)}, not nosniff.`;
    },
  },
  {
    rule: "referrer-policy",
    header: "Referrer-Policy",
    impact: "minor",
    title: "Other sites learn the full address that a visitor comes from",
    problem(headers) {
      const value = headers["referrer-policy"];
      if (value === undefined) return missing("Referrer-Policy");
      // The last policy that a browser knows counts.
      const policy = value.split(",").at(-1)?.trim().toLowerCase();
      return policy === "unsafe-url" || policy === "no-referrer-when-downgrade"
        ? `It is ${policy}: other sites get full addresses.`
        : undefined;
    },
  },
];

/** What is missing or weak in a page's response headers. Names in lower case. */
export function headerFindings(headers: Headers): Finding[] {
  return RULES.flatMap(({ rule, header, impact, title, problem }) => {
    const detail = problem(headers);
    return detail === undefined ? [] : [{ kind: "headers" as const, rule, impact, title, detail, where: header }];
  });
}

function directive(policy: string, name: string): string | undefined {
  return policy
    .split(";")
    .map((part) => part.trim())
    .find((part) => part.split(/\s/)[0]?.toLowerCase() === name);
}
