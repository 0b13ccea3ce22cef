/** What opens something: a credential by its form, or by the word before it. Of a page's text, which may be anything: each is bounded. */
const SECRETS: readonly RegExp[] = [
  /(?<=\bbearer\s{1,4})[\w.~+/=-]{16,4096}/gi,
  /(?<=\bauthorization["']?\s{0,4}[:=]\s{0,4}["']?basic\s{1,4})[\w+/=]{6,4096}/gi,
  /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|$)/g,
  /\beyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]{0,4096}/g,
  /\b(?:sk|pk|rk)[-_][\w-]{16,512}/g,
  /\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|npm_|hf_|AIza)[\w-]{16,512}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  // A value with a digit: prose has a colon after such words, too.
  /(?<=\b(?:password|passwd|secret|token|api[_-]?key|access[_-]?key)["']?\s{0,4}[:=]\s{0,4}["']?)(?=[^\s"',;&<>]{0,128}\d)[^\s"',;&<>]{8,512}/gi,
  /(?<=:\/\/[^\s/:@]{0,256}:)[^\s/:@]{1,256}(?=@)/g,
];

/** A text without keys, tokens and passwords. */
export function maskSecrets(text: string): string {
  return SECRETS.reduce((masked, secret) => masked.replace(secret, "[secret]"), text);
}
