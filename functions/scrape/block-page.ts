export interface SeenPage {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly title: string;
  readonly text: string;
  /** Serialized DOM, or its beginning. */
  readonly html: string;
}

/** Marks of pages that services show instead of the site. `anyStatus`: certain even with status 200. */
const MARKS: readonly { name: string; anyStatus: boolean; test: (page: SeenPage) => boolean }[] = [
  { name: "Cloudflare challenge", anyStatus: true, test: (p) => p.headers["cf-mitigated"] === "challenge" },
  {
    name: "Cloudflare challenge",
    anyStatus: true,
    // Bounded: a page can repeat the first half.
    test: (p) =>
      /\/cdn-cgi\/challenge-platform\/.{0,100}\/orchestrate|_cf_chl_opt/.test(p.html) &&
      /just a moment|attention required/i.test(p.title),
  },
  { name: "Cloudflare block", anyStatus: true, test: (p) => /^attention required! \| cloudflare/i.test(p.title) },
  { name: "PerimeterX captcha", anyStatus: true, test: (p) => /id="px-captcha"/.test(p.html) },
  {
    name: "DataDome captcha",
    anyStatus: true,
    test: (p) => /captcha-delivery\.com/.test(p.html) && p.text.length < 2_000,
  },
  { name: "Imperva block", anyStatus: true, test: (p) => /_Incapsula_Resource/.test(p.html) && p.text.length < 1_000 },
  {
    name: "Akamai block",
    anyStatus: true,
    test: (p) => /^access denied$/i.test(p.title) && /errors\.edgesuite\.net|Reference #\d/.test(p.text),
  },
  {
    name: "captcha",
    anyStatus: false,
    test: (p) => /g-recaptcha|h-captcha|cf-turnstile|captcha/i.test(p.html),
  },
  { name: "request to prove to be human", anyStatus: false, test: (p) => HUMAN.test(`${p.title}\n${p.text}`) },
  {
    name: "request to prove to be human",
    anyStatus: true,
    // A page of a site that mentions captchas is longer.
    test: (p) => p.text.length < 600 && HUMAN.test(`${p.title}\n${p.text}`),
  },
];

const HUMAN =
  /(verify|confirm|prove|check(ing)?)( that)? (you are|you're|if you are)( not)? (a )?(human|robot)|are you (a )?(human|robot)|unusual traffic|press (&|and) hold/i;

/** The kind of block page; undefined for a page of the site. 403 always is one: the site refuses this visitor. */
export function blockedBy(page: SeenPage): string | undefined {
  const refusing = page.status === 403 || page.status === 429 || page.status === 503;
  const mark = MARKS.find((candidate) => (candidate.anyStatus || refusing) && candidate.test(page));
  if (mark) return mark.name;
  return page.status === 403 ? "403 Forbidden" : undefined;
}
