import { type Mutation, mutationsOf } from "./mutation.ts";

const COMPOSED = ["test/integration/scrape-composed.test.ts"];

const LATE = ["test/integration/scrape-late.test.ts"];

const STATES = ["test/integration/scrape-states.test.ts"];

/** What a page's roots and frames may cost, and whose words they are. */
export const CAPTURE_MUTATIONS: readonly Mutation[] = [
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
      find: "isStruck(element) ? ",
      replace: "false && isStruck(element) ? ",
    },
    {
      why: "a page cannot cross out what it shows",
      find: 'if (name === "data-agentic-style") return "";',
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
