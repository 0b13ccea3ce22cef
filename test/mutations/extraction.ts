import { type Mutation, mutationsOf } from "./mutation.ts";

const POOL = ["test/integration/page-pool.test.ts"];
const ANALYZE = ["test/integration/analyze.test.ts"];
const CORPUS = ["test/unit/corpus.test.ts"];
const TERMS = ["test/unit/extract-terms.test.ts"];
const EVIDENCE = ["test/unit/extract-evidence.test.ts"];
const OFFERS = ["test/unit/extract-offers.test.ts"];
const INJECTION = ["test/unit/injection.test.ts"];

/** A page that is slow or large. */
export const EXTRACTION_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("functions/analyze/graph.ts", ANALYZE, [
    {
      why: "a page that is slow holds no neighbour's lease",
      find: 'pages.run("extract", [{ html, title, description, states, ...sourceOf(capture) }], signal)',
      replace:
        'import("./extract/extract.ts").then(({ extract }) => extract({ html, title, description, states, ...sourceOf(capture) }))',
      tests: ["test/integration/slow-page.test.ts"],
    },
    {
      why: "an answer that is slow to look up holds no neighbour's lease",
      find: 'await pages.run("merge", [rules, said, { text, html, source, pictured, model: author, usage }], signal),',
      replace:
        '(await import("./merge.ts")).merge(rules, said, { text, html, source, pictured, model: author, usage }),',
    },
    {
      why: "no more of a page is read than scrape captures",
      find: "const html = (await getText(artifacts, workload, capture.artifacts.dom)).slice(0, MAX_DOM_CHARS);\n      const { screenshot, states",
      replace:
        "const html = await getText(artifacts, workload, capture.artifacts.dom);\n      const { screenshot, states",
    },
    {
      why: "no more of a text is read than scrape captures",
      find: ".slice(0, MAX_TEXT_CHARS)",
      replace: "",
    },
    {
      why: "what a process answers to merge is checked",
      find: "const { analysis, claims } = mergedSchema.parse(",
      replace: "const { analysis, claims } = Object.assign(",
    },
  ]),
  ...mutationsOf("functions/analyze/extract/evidence.ts", EVIDENCE, [
    {
      why: "no crop shows what is below the end of the picture",
      find: "box.y + box.height > height || ",
      replace: "",
    },
    {
      why: "a crop ends within the picture",
      find: "Math.min(height, box.y + box.height + PADDING)",
      replace: "(box.y + box.height + PADDING)",
    },
    { why: "words of a script are no quote", find: "if (isSilent(element) || ", replace: "if (" },
  ]),
  ...mutationsOf("functions/analyze/extract/marks.ts", EVIDENCE, [
    { why: "a box is figures, and few", find: "/^\\d{1,7}(?: \\d{1,7}){3,4}$/.test(written)", replace: "true" },
  ]),
  ...mutationsOf("functions/analyze/extract/other-states.ts", TERMS, [
    { why: "a page writes no states of its own", find: "<\\/pre>\\s*$/", replace: "<\\/pre>/" },
    {
      why: "a price belongs to the name above it",
      find: "(end < 0 ? below : below.slice(0, end))",
      replace: "below",
    },
  ]),
  ...mutationsOf("functions/analyze/extract/structured-data.ts", TERMS, [
    {
      why: "structured data overrides nothing that the page shows",
      find: "return { offers: [...visible], caveats };",
      replace: "return { offers: [...told], caveats };",
    },
    { why: "a price of 0 for search engines is none", find: "price && price.amount > 0", replace: "price" },
  ]),
  ...mutationsOf("functions/analyze/extract/beside-price.ts", TERMS, [
    { why: "a regular price is more than what is paid", find: "amount > price.amount && ", replace: "" },
    { why: "a trial has a number of days", find: "count > 0 && count <= MAX_TRIAL_DAYS", replace: "count > 0" },
  ]),
  ...mutationsOf("functions/analyze/extract/mentions.ts", OFFERS, [
    { why: "an order that was is no offer", find: "isBooked || ORDERED.test(text)", replace: "isBooked" },
    { why: "what a visitor sets by a slider is no price", find: "      !isSet(mention) &&\n", replace: "" },
    { why: "lists side by side are plans", find: "one.tagName === list.tagName && ", replace: "false && " },
    { why: "a footer of a card is read", find: "  if (card) return isElsewhere(card);\n", replace: "" },
    {
      why: "one number without a currency is no price",
      find: ".length > 1 ? bare : found",
      replace: ".length > 0 ? bare : found",
    },
    {
      why: "without a currency only a page is read that names none",
      find: '  if (found.some(({ kind }) => kind === "money")) return found;\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/analyze/extract/offers.ts", OFFERS, [
    {
      why: "a page about what is earned is no shop",
      find: ".filter((unit) => !isOffice || isForSale(unit))",
      replace: "",
    },
    {
      why: "what says that it is for sale is offered anyway",
      find: "!isOffice || isForSale(unit)",
      replace: "!isOffice",
    },
    { why: "how to write to a company is no plan", find: " && !CONTACT.test(name)", replace: "" },
  ]),
  ...mutationsOf("functions/analyze/extract/offer-name.ts", OFFERS, [
    { why: "a rating names nothing", find: "RATED.test(name) || ", replace: "" },
    { why: "whom it is for names nothing", find: "!TAGLINE.test(name)) ?? found[0]", replace: "true) ?? found[0]" },
    {
      why: "a badge in a heading is no name",
      find: 'ASIDE.test(child.getAttribute("class") ?? "")))',
      replace: "false))",
    },
  ]),
  ...mutationsOf("functions/analyze/extract/offer-table.ts", OFFERS, [
    {
      why: "rows of several prices are products",
      find: "columns.length >= 2 && !listed",
      replace: "columns.length >= 2",
    },
    { why: "the column of names is named so", find: "names[titled] ?? ", replace: "" },
  ]),
  ...mutationsOf("functions/analyze/extract/money.ts", OFFERS, [
    { why: "a sign belongs to the number that it stands at", find: "(?![\\p{L}\\d])`", replace: "(?!\\p{L})`" },
  ]),
  ...mutationsOf("functions/analyze/page-pool.ts", POOL, [
    {
      why: "a page's memory is limited",
      find: "`--max-old-space-size=${heapMb}`, ",
      replace: "",
    },
    {
      why: "the processes fit into the function's pod",
      find: ', "--max-semi-space-size=4"]',
      replace: "]",
    },
    {
      why: "a page finds no login to a store",
      find: "    env: {},\n",
      replace: "",
    },
    {
      why: "a process whose page exceeds a limit ends",
      find: '      child.kill("SIGKILL");\n      throw error;',
      replace: "      throw error;",
    },
    {
      why: "processes are few",
      find: "pLimit(PROCESSES)",
      replace: "pLimit(PROCESSES + 1)",
    },
    {
      why: "a step that is aborted takes no process",
      find: "    signal.throwIfAborted();\n    const child",
      replace: "    const child",
    },
    {
      why: "a step that waits for a process ends when it is aborted",
      find: "unlessAborted(done, signal)",
      replace: "done",
    },
    {
      why: "a process without work ends",
      find: 'setTimeout(() => child.kill("SIGKILL"), idleMs)',
      replace: "setTimeout(() => undefined, idleMs)",
    },
    {
      why: "a process that is used again goes on",
      find: "    clearTimeout(idle.get(child));\n",
      replace: "",
    },
    {
      why: "a dead process is not asked",
      find: 'child.once("exit", () => onExit(child));',
      replace: "child;",
    },
  ]),
  ...mutationsOf("functions/analyze/ask-process.ts", POOL, [
    {
      why: "a page's time is limited",
      find: "setTimeout(() => reject(timedOut(timeoutMs)), timeoutMs)",
      replace: "setTimeout(() => undefined, timeoutMs)",
    },
    {
      why: "a process that did not begin is no fault of the page",
      find: "if (begun === undefined) reject(unavailable(how));\n    // V8 aborts a process whose heap is full.\n    else reject",
      replace: "reject",
    },
    {
      why: "a page that takes too much memory fails for good",
      find: 'by === "SIGABRT" ? tooLarge(`it takes more than ${heapMb} MB`) : ended(how)',
      replace: "ended(how)",
    },
    {
      why: "a process that somebody killed is no verdict on the page",
      find: 'by === "SIGABRT" ?',
      replace: "by !== null ?",
    },
    {
      why: "a process ends when its step is aborted",
      find: '  signal.addEventListener("abort", onAbort);\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/analyze/page-process.ts", POOL, [
    {
      why: "a process without its function ends",
      find: "CALL.runInThisContext({ timeout: orphanMs })",
      replace: "CALL.runInThisContext()",
    },
    {
      why: "a page that takes too much of the stack fails for good",
      find: "    if (error instanceof RangeError) return { tooLarge: error.message };\n",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/analyze/extract/instructs.ts", INJECTION, [
    {
      why: "space without an end takes no time without an end",
      find: '.replace(TAG, " ")].map(singleSpaced)',
      replace: '.replace(TAG, " ")]',
    },
  ]),
  ...mutationsOf(
    "functions/scrape/block-page.ts",
    ["test/unit/block-page.test.ts"],
    [
      {
        why: "a page that repeats half a mark of a block page holds no lease of scrape's",
        find: "challenge-platform\\/.{0,100}\\/orchestrate",
        replace: "challenge-platform\\/.*\\/orchestrate",
      },
    ],
  ),
  ...mutationsOf(
    "lib/model/tokens.ts",
    ["test/unit/tokens.test.ts"],
    [
      {
        why: "leases are renewed while tokens are counted",
        find: "    await others();\n",
        replace: "",
      },
      {
        why: "a very long word is counted in small pieces",
        find: "const PIECE = 200;",
        replace: "const PIECE = 2_000;",
      },
    ],
  ),
  ...mutationsOf("bench/extraction/corpus/fetch.ts", CORPUS, [
    {
      why: "a page of the corpus is the one that was judged",
      find: "if (found !== integrity) throw",
      replace: "if (false) throw",
    },
  ]),
  ...mutationsOf("bench/extraction/corpus/sites.ts", CORPUS, [
    {
      why: "a site of the corpus serves its own files alone",
      find: '  if (relative(root, asked).startsWith("..")) return undefined;\n',
      replace: "",
    },
  ]),
];
