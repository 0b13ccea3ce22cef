/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { setTimeout as sleep } from "node:timers/promises";
import type { Frame, Page } from "playwright-core";
import { answerWithin } from "./waits.ts";

/** Buttons of common consent managers, refusals first. The first that is visible gets pressed. */
const SELECTORS = [
  "#onetrust-reject-all-handler",
  "#onetrust-accept-btn-handler",
  "#CybotCookiebotDialogBodyButtonDecline",
  "#CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll",
  "#CybotCookiebotDialogBodyButtonAccept",
  "#didomi-notice-disagree-button",
  "#didomi-notice-agree-button",
  '[data-testid="uc-deny-all-button"]',
  '[data-testid="uc-accept-all-button"]',
  ".qc-cmp2-summary-buttons button[mode=primary]",
  "#truste-consent-required",
  "#truste-consent-button",
  ".osano-cm-denyAll",
  ".osano-cm-accept-all",
  ".cky-btn-reject",
  ".cky-btn-accept",
  ".cmplz-deny",
  ".cmplz-accept",
  ".iubenda-cs-reject-btn",
  ".iubenda-cs-accept-btn",
  "#cookie_action_close_header_reject",
  "#cookie_action_close_header",
  ".cc-deny",
  ".cc-dismiss",
  ".cm-btn-decline",
  ".cm-btn-success",
  "#axeptio_btn_dismiss",
  "#axeptio_btn_acceptAll",
  ".fc-cta-do-not-consent",
  ".fc-cta-consent",
];

/** Whole labels, refusals first. English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Swedish, Danish, Norwegian, Finnish, Czech. */
const LABELS = [
  "^(reject|decline|deny|refuse)( all)?( (optional|non-essential))?( cookies)?$|^(only |use )?(strictly )?(necessary|essential)( cookies)?( only)?$|^continue without (accepting|agreeing)$|^(alle(s)? )?(cookies )?ablehnen$|^nur (notwendige|erforderliche|essenzielle)( cookies)?( akzeptieren| zulassen)?$|^(tout refuser|refuser( tout)?|continuer sans accepter)$|^(rechazar|rechazar (todo|todas)( las cookies)?|solo necesarias)$|^(rifiuta( tutt[oi])?|solo (necessari|tecnici)|continua senza accettare)$|^(alles )?(weigeren|afwijzen)$|^(recusar|rejeitar)( tudo| todos)?$|^odrzuć( wszystk(o|ie))?$|^(neka|avvisa)( alla)?$|^(afvis|avvis)( alle)?$|^hylkää( kaikki)?$|^odmítnout( vše)?$",
  "^(i )?(accept|agree|allow|consent)( all)?( to all)?( cookies)?( (and|&) (continue|close))?$|^(got it|ok|okay|i understand|understood)!?$|^(alle(s|n)? )?(cookies )?(akzeptieren|zulassen|zustimmen)$|^(einverstanden|verstanden)$|^(tout accepter|accepter( tout)?( et (fermer|continuer))?|j'accepte)$|^(aceptar|aceptar (todo|todas)( las cookies)?)$|^(accetta( tutt[oi])?|accetto)$|^(alles )?(accepteren|toestaan)$|^akkoord$|^aceitar( tudo| todos)?$|^(za)?akceptuj(ę)?( wszystk(o|ie))?$|^(acceptera|godkänn)( alla)?( cookies)?$|^(accepter|godta|tillad)( alle)?$|^hyväksy( kaikki)?$|^přijmout( vše)?$|^souhlasím$",
];

/** How long to wait for a banner to fade out, milliseconds. */
const GONE_MS = 500;

/** For one frame's answer, and for all, milliseconds: a frame of another site that keeps its thread busy is no reason to wait for the page. */
const FRAME_MS = 1_000;
const FRAMES_MS = 3_000;

/** Closes a consent banner in any frame of the page. @returns the label of the button that it pressed */
export async function closeConsent(page: Page): Promise<string | undefined> {
  const until = performance.now() + FRAMES_MS;
  for (const frame of page.frames().slice(0, 12)) {
    if (frame.parentFrame() && performance.now() > until) return undefined;
    const pressed = await pressIn(frame);
    if (pressed !== undefined) return pressed;
  }
  return undefined;
}

async function pressIn(frame: Frame): Promise<string | undefined> {
  const main = frame.parentFrame() === null;
  const input = { selectors: SELECTORS, labels: LABELS, main };
  const answer = frame.evaluate(pressConsent, input);
  const pressed = await (main ? answer : answerWithin(FRAME_MS, "frame", answer)).catch((error: unknown) => {
    // A frame may vanish meanwhile, or not answer; the page itself may not.
    if (main) throw error;
    return null;
  });
  if (pressed === null) return undefined;
  const until = performance.now() + GONE_MS;
  if (main) await frame.waitForFunction(isGone, undefined, { polling: 20, timeout: GONE_MS }).catch(() => undefined);
  else while (!frame.isDetached() && performance.now() < until) await sleep(20);
  return pressed;
}

/** Runs in the page: presses the button, and remembers it for isGone. @returns its label, or null without a banner */
function pressConsent(input: { selectors: string[]; labels: string[]; main: boolean }): string | null {
  const visible = (element: Element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== "hidden";
  };
  const roots: (Document | ShadowRoot)[] = [document];
  // Consent managers put their shadow host right below body. Searching the whole tree takes too long on large pages.
  const hosts = document.body ? [...document.body.children, ...document.querySelectorAll("body > * > *")] : [];
  for (const host of hosts.slice(0, 500)) if (host.shadowRoot) roots.push(host.shadowRoot);

  const bySelector = () => {
    const all = input.selectors.join(",");
    for (const root of roots) {
      if (!root.querySelector(all)) continue;
      for (const selector of input.selectors) {
        const found = root.querySelector<HTMLElement>(selector);
        if (found && visible(found)) return found;
      }
    }
    return undefined;
  };
  const about = /cookie|consent|gdpr|cmp|privacy|datenschutz|didomi|onetrust|usercentrics/i;
  const speaksOf = /cookie|consent|gdpr|privacy|datenschutz|confidentialit|privacidad|tracking|personuppgift|evästee/i;
  // Only a button inside something that lies over the page and mentions cookies: never a button of the page itself.
  const inBanner = (element: Element) => {
    if (!input.main) return speaksOf.test(document.body?.textContent?.slice(0, 5000) ?? "");
    for (let node: Element | null = element; node && node !== document.body; ) {
      const style = getComputedStyle(node);
      const over =
        style.position === "fixed" ||
        style.position === "sticky" ||
        node.getAttribute("role") === "dialog" ||
        node.localName === "dialog";
      const named = about.test(
        `${node.id} ${node.getAttribute("class") ?? ""} ${node.getAttribute("aria-label") ?? ""}`,
      );
      if ((over || named) && (node.textContent ?? "").length < 5000 && speaksOf.test(node.textContent ?? ""))
        return true;
      const root = node.getRootNode();
      node = node.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
    }
    return false;
  };
  const byLabel = () => {
    const buttons = roots.flatMap((root) => [
      ...root.querySelectorAll<HTMLElement>(
        "button,[role=button],a[href^='#'],a:not([href]),input[type=button],input[type=submit]",
      ),
    ]);
    const labelled = buttons.slice(0, 2000).map((element) => ({
      element,
      label: (
        (element instanceof HTMLInputElement ? element.value : element.textContent) ||
        element.getAttribute("aria-label") ||
        ""
      )
        .replace(/\s+/g, " ")
        .trim()
        .toLowerCase(),
    }));
    for (const pattern of input.labels) {
      const wanted = new RegExp(pattern, "iu");
      const hit = labelled.find(
        ({ element, label }) =>
          label.length > 0 && label.length < 60 && wanted.test(label) && visible(element) && inBanner(element),
      );
      if (hit) return hit.element;
    }
    return undefined;
  };
  const button = bySelector() ?? byLabel();
  if (!button) return null;
  const label = (
    (button instanceof HTMLInputElement ? button.value : button.textContent) ||
    button.getAttribute("aria-label") ||
    button.id
  )
    .replace(/\s+/g, " ")
    .trim();
  Object.assign(globalThis, { agenticPressed: new WeakRef(button) });
  // Later: a frame that removes itself at the click would lose this function's answer.
  setTimeout(() => button.click());
  return label.slice(0, 80);
}

/** Runs in the page: whether the pressed button has disappeared. */
function isGone(): boolean {
  const { agenticPressed } = globalThis as { agenticPressed?: WeakRef<HTMLElement> };
  const button = agenticPressed?.deref();
  return !button?.isConnected || button.getBoundingClientRect().height === 0;
}
