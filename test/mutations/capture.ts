import { type Mutation, mutationsOf } from "./mutation.ts";

const COMPOSED = ["test/integration/scrape-composed.test.ts"];

const MARKS = ["test/integration/scrape-marks.test.ts"];

const LATE = ["test/integration/scrape-late.test.ts"];

const STATES = ["test/integration/scrape-states.test.ts"];
const STATE_OFFERS = ["test/unit/state-offers.test.ts"];

const LISTS = ["test/integration/scrape-lists.test.ts"];

const PAINTED = ["test/integration/painted-prices.test.ts"];

const DISCOVER = ["test/unit/discover.test.ts"];
const DISCOVERED = ["test/integration/scrape-discover.test.ts"];

/** What a page's roots and frames may cost, and whose words they are. */
export const CAPTURE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("functions/scrape/discover/sitemap.ts", DISCOVER, [
    {
      why: "a sitemap is unpacked up to a number of bytes",
      find: "cut = part.length < chunk.length || ",
      replace: "cut = ",
    },
    { why: "a sitemap is read up to a number of entries", find: "pages.length > limits.entries || ", replace: "" },
    {
      why: "elements within elements end",
      find: " || open.length > MAX_DEPTH",
      replace: "",
      equivalent: "bytes end them, too: this only ends them earlier",
    },
    { why: "an address has a limit", find: " || address.trim().length > MAX_ADDRESS", replace: "" },
    { why: "a picture's address is no page's", find: 'if (parent === "url") ', replace: "" },
  ]),
  ...mutationsOf("functions/scrape/discover/choose.ts", DISCOVER, [
    { why: "pages are of the site", find: "    if (!isOwn(url)) {", replace: "    if (false) {" },
    { why: "another port is another site", find: "ports.has(url.port) && ", replace: "" },
    {
      why: "robots.txt holds for each page",
      find: "if (isAllowedByRobots(next.url)) {",
      replace: "if (isAllowedByRobots(next.url) || true) {",
    },
    { why: "robots.txt is asked of so many pages", find: ".slice(0, MAX_TRIES)", replace: "" },
    { why: "the named page is no further page", find: "    if (seen.has(key)) continue;\n", replace: "" },
    { why: "a host of sites is no site", find: "{ allowPrivateDomains: true }", replace: "{}" },
  ]),
  ...mutationsOf("functions/scrape/discover/kinds.ts", DISCOVER, [
    {
      why: "long words are read in part",
      find: ".slice(0, MAX_CHARS)",
      replace: "",
      equivalent: "a name has at most five words: this only says so earlier",
    },
    { why: "articles are no pages of a kind", find: 'ASIDE.test(segment.replaceAll(" ", "-"))', replace: "false" },
  ]),
  ...mutationsOf("functions/scrape/discover/sitemaps.ts", DISCOVERED, [
    { why: "a sitemap is read once", find: "seen.has(url.href) || ", replace: "" },
    { why: "sitemaps have a limit of time", find: "AbortSignal.any([signal, timeout])", replace: "signal" },
    {
      why: "a file that explodes leaves room for others",
      find: "Math.min(FILE_BYTES, LIMITS.bytes - bytes)",
      replace: "LIMITS.bytes - bytes",
    },
  ]),
  ...mutationsOf("functions/scrape/in-page-links.ts", DISCOVERED, [
    { why: "links have a limit", find: "links.size >= limits.links && ", replace: "false && " },
  ]),
  ...mutationsOf("functions/scrape/graph.ts", DISCOVERED, [
    {
      why: "a robots.txt slows visits down to a limit",
      find: "Math.min(crawlDelay * 1000, MAX_DELAY_MS)",
      replace: "crawlDelay * 1000",
    },
    { why: "a further page has no further pages", find: "!page.isNamed || ", replace: "" },
    { why: "one page a site is one", find: " || pagesPerSite(context) === 1", replace: "" },
    { why: "the workload's pace holds", find: "hostDelayMs, paceMs, ", replace: "hostDelayMs, " },
  ]),
  ...mutationsOf("functions/scrape/site-settings.ts", DISCOVERED, [
    { why: "a site has one entry of settings", find: "if (others.length > 0)", replace: "if (false)" },
  ]),
  ...mutationsOf("functions/scrape/composed.ts", COMPOSED, [
    { why: "frames are read up to a number", find: " || read >= MAX_FRAMES", replace: "" },
    { why: "frames are read up to a depth", find: "depth > MAX_FRAME_DEPTH || ", replace: "" },
    {
      why: "what the proxy says in place of a frame is not the page's",
      find: "!SHOWN.test(url) || tab.traffic.wasRefused(url)",
      replace: "!SHOWN.test(url)",
    },
    {
      why: "what the browser says in place of a frame is not the page's",
      find: "!SHOWN.test(url) || ",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/scrape/in-page-tree.ts", COMPOSED, [
    {
      why: "an old price that a style sheet crosses out is none",
      find: 'isStruck(element) ? ["struck"] : []',
      replace: "[]",
    },
    {
      why: "a page cannot cross out what it shows",
      find: 'if (name.startsWith("data-agentic-")) return "";',
      replace: "",
    },
    {
      why: "a root is no way to more characters than a page has",
      find: "htmlLength >= limits.dom || ",
      replace: "",
    },
    { why: "a template is nothing that a page shows", find: '    if (name === "template") continue;\n', replace: "" },
    { why: "a frame that nobody sees says nothing", find: "if (areaOf(element) > 400) frames", replace: "frames" },
  ]),
  ...mutationsOf("functions/scrape/in-page-tree.ts", MARKS, [
    {
      why: "what is hidden is left out of the findings",
      find: "if (isHidden(element, at, words)) return",
      replace: "if (false) return",
    },
    { why: "a page has so many marks", find: "marked >= limits.marks || ", replace: "" },
    {
      why: "nothing is shown of what a frame cuts off",
      find: "limits.frame ?? { x: 0, y: 0, width: innerWidth",
      replace: "{ x: 0, y: 0, width: innerWidth",
    },
  ]),
  ...mutationsOf("functions/scrape/composed.ts", COMPOSED, [
    {
      why: "frames without end are no reason to lose the page",
      find: "TOO_DEEP.test(error.message)",
      replace: "false",
    },
  ]),
  ...mutationsOf("functions/scrape/tab.ts", LATE, [
    {
      why: "a page that never rests is taken as it is",
      find: "if (performance.now() >= until) return false;",
      replace: "if (performance.now() >= until) return true;",
    },
    {
      why: "what a server still answers is waited for",
      find: "changing || tab.traffic.loading() ? 0",
      replace: "changing ? 0",
    },
    {
      why: "what moves without an end is waited for a while only",
      find: "const moves = performance.now() < began + MOVES * tab.wait.late;",
      replace: "const moves = true;",
    },
  ]),
  ...mutationsOf("functions/scrape/in-page-rows.ts", LISTS, [
    { why: "a list has so many rows", find: "kept >= limits.rows || ", replace: "" },
    {
      why: "what changes where it stands is no further row",
      find: "filter(isGone)",
      replace: "filter(() => true)",
    },
    {
      why: "a row gives no mark",
      find: 'if (name.startsWith("data-agentic-")) one.removeAttribute(name);',
      replace: ";",
    },
  ]),
  ...mutationsOf("functions/analyze/extract/state-offers.ts", STATES, [
    {
      why: "an offer of two tabs counts once",
      find: "seen.has(name) || ",
      replace: "",
    },
    {
      why: "what a tab did not change is no new offer",
      find: " || !words.includes(name)",
      tests: STATE_OFFERS,
      replace: "",
    },
  ]),
  ...mutationsOf("functions/analyze/merge.ts", PAINTED, [
    {
      why: "an amount that is said to be in a picture is in its quote",
      find: "    isQuoted(offer) &&\n    !isOnPage",
      replace: "    !isOnPage",
    },
    {
      why: "a name that is said to be in a picture is in its quote",
      find: "(contains(offer.quote, offer.name) || isOnPage(offer.name))",
      replace: "true",
    },
    {
      why: "of a page with prices in its text nothing is taken from a picture",
      find: "pictured && source.fullPage ? answer.offers.slice",
      replace: "source.fullPage ? answer.offers.slice",
    },
  ]),
  ...mutationsOf("functions/analyze/graph.ts", PAINTED, [
    {
      why: "what is drawn nowhere is not cut out of the picture",
      find: "return width > 0 && height > 0 ? { x, y, width, height } : undefined;",
      replace: "return { x, y, width, height };",
    },
  ]),
  ...mutationsOf("functions/scrape/in-page.ts", LATE, [
    {
      why: "a page is drawn in the size in which it was read",
      find: "event.stopImmediatePropagation()",
      replace: "event.type",
    },
    {
      why: "what moves by its style sheet is drawn at the same moment each time",
      find: "        animation.currentTime = stillMs;\n",
      replace: "",
    },
    {
      why: "an animation that can be ended by nobody is no reason to lose the page",
      find: "    } catch {\n      // Of one that stands",
      replace: "    } catch (error) {\n      throw error; // Of one that stands",
    },
  ]),
  ...mutationsOf("functions/scrape/in-page-late.ts", LATE, [
    {
      why: "a timer that is far away is not waited for",
      find: "wait <= limits.longestMs && ",
      replace: "",
    },
    {
      why: "a page that has just changed is not at rest",
      find: "now - state.changedAt < quietMs ||",
      replace: "false ||",
    },
    {
      why: "what a script fades is drawn when it has done so",
      find: "    (moves && now - state.restyledAt < quietMs) ||\n",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/scrape/other-states.ts", STATES, [
    { why: "pressing leads nowhere", find: "return leaves || ", replace: "return " },
    {
      why: "pressing sends nothing",
      find: " || !/^(?:GET|HEAD|OPTIONS)$/.test(request.method())",
      replace: "",
    },
    {
      why: "a page that hangs when something is pressed is captured as it was",
      find: "  } catch {\n    // A page that went away",
      replace: "  } catch (error) {\n    throw error; // A page that went away",
    },
    {
      why: "what a page says to a model when something is pressed is looked at",
      find: "html: html.slice(0, MAX_DOM_CHARS - hidden.length) + hidden",
      replace: "html",
    },
  ]),
  ...mutationsOf("functions/scrape/consent.ts", COMPOSED, [
    {
      why: "a frame that is busy holds up no page",
      find: '(main ? answer : answerWithin(FRAME_MS, "frame", answer))',
      replace: "answer",
    },
  ]),
];
