import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import { type Control, findControls } from "./controls.ts";
import type { Cite } from "./evidence.ts";
import { lookOf, ownBox } from "./marks.ts";
import type { PageDocument, PageElement } from "./visible.ts";

type Action = Analysis["callsToAction"][number];

/** Operates the page, and asks for nothing. */
const OPERATES =
  /^(?:(?:accept|reject|decline|allow|manage|close|dismiss|cancel|ok|okay|got it|menu|toggle\b.*|next|prev|previous|back\b.*|search|filter|filters|sort|apply|reset|clear|monthly|yearly|annual(?:ly)?|month|year|show|hide|more|less|show (?:more|less|all|code)|load more|expand|collapse|new|copy|copied|print|share|tweet|like|reply|edit|delete|skip\b.*|back to top|scroll\b.*|top|all|en|de|fr|es|it|english|deutsch|français|español|light|dark|auto|home)(?:[!.]|\b.{0,3})$)|cookie/iu;
/** Navigation, however it is drawn. */
const LOGS_IN =
  /^(?:log ?-?in|sign ?-?in|log ?-?out|sign ?-?out|my account|account|login here|anmelden|einloggen|se connecter|connexion|iniciar sesi[óo]n|entrar|accedi|inloggen|logga in|(?:log|sign) ?-?in (?:with|using|via|through) .+)$/iu;
const NETWORKS =
  /^(?:(?:share|follow|find|tweet|post|pin|save|like)(?: (?:it|this|us|me))? on )?(?:facebook|twitter|x|instagram|linkedin|youtube|google|google\+|pinterest|tiktok|discord|slack|reddit|whatsapp|telegram|mastodon|vimeo|dribbble|behance|rss)$/iu;
/** Asks for little: it leads to more words. */
const LEARNS =
  /^(?:(?:learn|read|see|view|find out|discover|explore|know|tell me|show me|mehr|en savoir|saber|scopri)(?:\s+(?:more|details?|options?|how|all|it|docs|documentation|features?|our|the|about|plus|más|di più|erfahren)\b.*)?|(?:tell me|find out) more|details?|more info(?:rmation)?|options|take a tour|see it in action|(?:what|why|how) .+\?)[!.]?$/iu;
/** Where they lead, and no more. */
const PLACES =
  /^(?:api|docs?|documentation|blog|news|features?|about(?: us)?|home|help|support|faqs?|cart|basket|bag|wishlist|profile|dashboard|categories|category|products?|shop|store|portfolio|services|resources|community|menu|team|gallery|pages?|examples?|components?|contact|pricing|customers|company|solutions|changelog|careers|jobs|settings|notifications?|warenkorb|hilfe|über uns|panier|aide|carrito)$/iu;
/** Where code is kept: asked for by itself, and a way to sign up beside networks. */
const CODE_HOSTS = /^(?:github|gitlab|bitbucket)$/iu;
/** "FB", "TW": fewer letters than any word that asks for something. */
const INITIALS = /^\p{Script=Latin}{1,2}$/u;
/** "Read more" below a card or a post is a link of it; drawn as a button "Learn more" counts. */
const READS_ON = /^(?:(?:continue|keep) reading|read (?:more|article|post|story|on)|weiterlesen|lire la suite)$/iu;
/** What kits call the buttons that they show. */
const DEMONSTRATES =
  /^(?:(?:outlined?|solid|ghost|flat|rounded?|pill|text|icon|link|default|basic|normal|primary|secondary|tertiary|success|danger|warning|error|info|neutral|accent|light|dark|disabled|active|hover|focus|loading|tiny|small|medium|large|mini|huge|big|block|button|btn|label|item|option|tab|xs|sm|md|lg|xl)(?:[\s-]+|$)){1,3}\d{0,2}$/iu;
const PHONE_OR_ADDRESS = /^[+(]?\d[\d\s().-]{5,}$|@/;

const OPERATING =
  "[role='tab'], [role='tablist'] *, [role='menuitem'], [role='option'], [role='switch'], [role='radio'], [aria-haspopup='true'], [aria-haspopup='menu'], [aria-haspopup='listbox'], [aria-expanded], [aria-selected], [aria-pressed], [aria-current], summary, label, option, [data-toggle='dropdown'], [data-toggle='collapse'], [data-toggle='tab'], [data-toggle='pill'], [data-bs-toggle='dropdown'], [data-bs-toggle='collapse'], [data-bs-toggle='tab'], [data-bs-toggle='pill'], [data-slide], [data-bs-slide], [disabled]:not([type='submit']), .disabled:not([type='submit']), [aria-disabled='true'], [rel~='prev'], [rel~='next'], [rel~='tag']";
const WITHIN =
  "[class*='cookie' i], [class*='consent' i], [id*='cookie' i], [id*='consent' i], [class*='pagination' i], [aria-label*='pagination' i], [class*='breadcrumb' i], [role='tablist'], [role='radiogroup'], [role='search'], summary, select";
/** Of the element itself or what directly holds it: wrappers of whole pages have such names, too. */
const WITHIN_CLOSELY = "[class*='toggle' i], [class*='search' i], [id*='search' i]";
const NAVIGATION =
  "nav, [role='navigation'], [class*='navbar' i], [role='menubar'], [class*='sidebar' i], [class*='sidenav' i], [class*='side-menu' i], [class*='menu_section' i]";
const MAX_ACTIONS = 40;
/** CSS pixels. */
const FIRST_SCREEN = 800;
const HEADER_HEIGHT = 90;
const BESIDE = 80;
/** As many alike in one place are tags or filters. */
const MANY = 6;
/** So many buttons without an address are choices of one thing. */
const FEW = 3;

/** What the page asks its visitors to do: controls that stand out, and neither navigate nor operate the page. */
export function findCallsToAction(document: PageDocument, url: string, cite: Cite): Action[] {
  const drawn = findControls(document);
  const controls = drawn.filter((control) => !operates(control) && !signsUpBy(control, drawn));
  const choices = choicesAmong(controls);
  const standing = controls.filter(({ look }) => look !== "plain");
  const actions = [
    ...standing.filter((control) => !choices.has(control) && !navigates(control, standing)),
    ...controls.filter((control) => isArrowBeside(control, standing)),
  ];
  const found = new Map<string, Action>();
  const order = new Map(controls.map((control, at) => [control, at]));
  for (const control of actions.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))) {
    const { element, text } = control;
    const prominence = isPrimary(control, standing) ? "primary" : "secondary";
    const known = found.get(text.toLowerCase());
    if (known) {
      if (prominence === "primary") known.prominence = prominence;
      continue;
    }
    if (found.size === MAX_ACTIONS) break;
    const target = targetOf(element, url);
    const place = placeOf(control);
    found.set(text.toLowerCase(), {
      text,
      ...(target ? { target } : {}),
      prominence,
      ...(place ? { place } : {}),
      evidence: cite(text, element),
    });
  }
  return [...found.values()];
}

function operates({ element, text, look, box }: Control): boolean {
  // What names a place is a button of the page's own where it is drawn as one, in the first screen and in no menu.
  const invites =
    look !== "plain" &&
    box !== undefined &&
    element.hasAttribute("href") &&
    placeOf({ box, element }) === "hero" &&
    !menuOf(element);
  return (
    INITIALS.test(text) ||
    OPERATES.test(text) ||
    LOGS_IN.test(text) ||
    NETWORKS.test(text) ||
    READS_ON.test(text) ||
    PHONE_OR_ADDRESS.test(text) ||
    (PLACES.test(text) && !invites) ||
    DEMONSTRATES.test(text) ||
    element.matches(OPERATING) ||
    element.closest(WITHIN) !== null ||
    isClosely(element, WITHIN_CLOSELY) ||
    isSearch(element)
  );
}

/** "GitHub" beside "Google". */
function signsUpBy({ element, text }: Control, drawn: readonly Control[]): boolean {
  return (
    CODE_HOSTS.test(text) && drawn.some((other) => NETWORKS.test(other.text) && rowOf(other.element) === rowOf(element))
  );
}

function isClosely(element: PageElement, selector: string): boolean {
  let up: PageElement | null = element;
  for (let steps = 0; up && up.tagName !== "BODY" && steps < 4; steps++, up = up.parentElement)
    if (up.matches(selector)) return true;
  return false;
}

/** The menu that holds an element: no wrapper of the page's own content. */
function menuOf(element: PageElement): PageElement | null {
  const menu = element.parentElement?.closest(NAVIGATION) ?? null;
  if (menu === null || isRowOfButtons(menu)) return null;
  return /^(?:BODY|HTML)$/.test(menu.tagName) || menu.querySelector("h1, main, section, article") ? null : menu;
}

/** Each of a few is drawn as a button, below the header. */
function isRowOfButtons(menu: PageElement): boolean {
  const links = [...menu.querySelectorAll("a, button")];
  const isButton = (one: PageElement) =>
    ["filled", "outlined"].includes(lookOf(one) ?? "") && (ownBox(one)?.y ?? 0) > HEADER_HEIGHT;
  return links.length > 1 && links.length < MANY && links.every(isButton);
}

function isSearch(element: PageElement): boolean {
  const form = element.closest("form");
  return form?.querySelector("input[type='search'], input[name='q'], input[name='s'], input[name='query']") != null;
}

/** A link of a menu: in the header only what alone is drawn so strongly as a button asks for something. */
function navigates({ element, look }: Control, standing: readonly Control[]): boolean {
  const menu = menuOf(element);
  if (!menu) return false;
  const rivals = standing.filter((other) => menu.contains(other.element) && STRENGTH[other.look] >= STRENGTH[look]);
  return rivals.length > 2;
}

const ON = /(?:^|\s)(?:is-)?(?:active|selected|current|checked)(?:\s|$)/;

function isOn(element: PageElement | null): boolean {
  return ON.test(element?.getAttribute("class") ?? "");
}

/** What somebody chooses from: tags and filters, options of a product, tabs of which one is on. */
function choicesAmong(controls: readonly Control[]): Set<Control> {
  const groups = Map.groupBy(controls, ({ element }) => rowOf(element));
  const classOf = (element: PageElement) => element.getAttribute("class")?.split(/\s+/)[0] ?? "";
  return new Set(
    controls.filter(({ element, look }) => {
      const group = groups.get(rowOf(element)) ?? [];
      const inMenu = menuOf(element) !== null;
      const alike = group.filter((other) => other.look === look && other.element.tagName === element.tagName);
      const isOne = group.some((other) => isOn(other.element) || isOn(other.element.parentElement));
      const plain = group.filter((other) => other.look === "plain" && classOf(other.element) === classOf(element));
      return (
        alike.length >= (element.hasAttribute("href") ? MANY : FEW) ||
        (group.length > 1 && isOne) ||
        (!inMenu && alike.length === 1 && plain.length >= 2)
      );
    }),
  );
}

/** "See how it works →", in the row of a button of the first screen. */
function isArrowBeside({ element, look, box }: Control, standing: readonly Control[]): boolean {
  if (look !== "plain" || element.tagName !== "A" || menuOf(element)) return false;
  if (!/[→›»↗➔▸▶]\s*$/u.test(element.textContent ?? "") && !element.querySelector("svg, i, img")) return false;
  return (
    box !== undefined &&
    box.y < FIRST_SCREEN &&
    standing.some(
      ({ element: other, box: beside }) =>
        beside && beside.y < box.y + box.height && box.y < beside.y + beside.height && rowOf(other) === rowOf(element),
    )
  );
}

const STRENGTH = { filled: 3, outlined: 2, tinted: 1, plain: 0 } as const;

/** Drawn as strongly as any beside it, and asks for more than reading. */
function isPrimary(control: Control, standing: readonly Control[]): boolean {
  const { look, text } = control;
  if (look === "plain" || LEARNS.test(text) || PLACES.test(text)) return false;
  return standing.every((other) => STRENGTH[other.look] <= STRENGTH[look] || !isBeside(other, control));
}

/** In the same row, of cards, too. */
function isBeside(one: Control, other: Control): boolean {
  if (!one.box || !other.box) return rowOf(one.element) === rowOf(other.element);
  return Math.abs(one.box.y - other.box.y) < BESIDE;
}

/** Controls in one row have a parent in common, or their wrappers have, such as the items of a list. */
function rowOf(element: PageElement): PageElement | null {
  const parent = element.parentElement;
  const alone = element.previousElementSibling === null && element.nextElementSibling === null;
  return parent && (alone || parent.tagName === "LI") ? parent.parentElement : parent;
}

function placeOf({ element, box }: Pick<Control, "element" | "box">): Action["place"] {
  if (element.closest("footer, [role='contentinfo'], [class*='footer' i]:not([class*='card' i])")) return "footer";
  if (
    menuOf(element)?.matches("nav, [role='navigation']") ||
    element.closest("[role='banner']") ||
    (box && box.y + box.height <= HEADER_HEIGHT)
  )
    return "header";
  if (!box) return undefined;
  return box.y < FIRST_SCREEN ? "hero" : "body";
}

function targetOf(element: PageElement, url: string): string | undefined {
  const href = element.getAttribute("href") ?? element.closest("a")?.getAttribute("href");
  return href && URL.canParse(href, url) ? new URL(href, url).href : undefined;
}
