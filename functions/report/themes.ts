import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";

/** What claims are about, by beginnings of words in English and German. One claim may be about several. */
const THEMES: Readonly<Record<string, RegExp>> = {
  simplicity: /\b(simpl|eas[yi]|effortless|intuitive|no[- ]code|straightforward|einfach|übersichtlich)/i,
  speed: /\b(fast|quick|instant|minutes?\b|seconds?\b|speed|real[- ]?time|schnell)/i,
  price: /\b(affordab|cheap|low[- ]cost|save\b|saving|no hidden|fair pric|günstig)/i,
  security: /\b(secur|privacy|private|encrypt|gdpr|dsgvo|soc ?2|complian|audit|(rechts)?sicher)/i,
  automation: /\b(auto(mat|pilot|[- ])|(writes|plans|runs) itself|ai\b|artificial|agents?\b|hands[- ]free)/i,
  collaboration: /\b(together|collaborat|teamwork|share\b|shared|swaps?\b|gemeinsam)/i,
  scale: /\b(scal[ei]|enterprise|grow|global|unlimited)/i,
  quality: /\b(quality|premium|best\b|craft|beautiful|professional)/i,
  trust: /\b(trust|reliab|proven|guarantee|uptime)/i,
  support: /\b(support|help\b|service\b|human|personal)/i,
};

/** The themes of the main claim, the features, the proof and the calls to action, in the order above. */
export function themesOf(analysis: Analysis): string[] {
  const text = [
    analysis.positioning?.value ?? "",
    ...analysis.offers.flatMap((offer) => offer.features),
    ...analysis.proof.map((proof) => proof.value),
    ...analysis.callsToAction.map((call) => call.text),
  ].join("\n");
  return Object.keys(THEMES).filter((theme) => THEMES[theme]?.test(text));
}

export const isAbout = (theme: string, text: string): boolean => THEMES[theme]?.test(text) ?? false;

export const ALL_THEMES: readonly string[] = Object.keys(THEMES);

const AUDIENCES: Readonly<Record<string, RegExp>> = {
  "freelancers and individuals": /freelanc|individual|solo|personal|creator|consultant/i,
  "small businesses": /small|startup|start-up|local|shop|smb|teams?\b/i,
  enterprises: /enterprise|large|corporat|organi[sz]ation/i,
  agencies: /agenc|studio/i,
  developers: /develop|engineer|technical|it teams?\b/i,
  "non-profits and education": /non-?profit|charit|school|universit|student|education/i,
};

/** The audiences that a page addresses, of those above. */
export function audiencesOf(analysis: Analysis): string[] {
  const text = analysis.audience.map((audience) => audience.value).join("\n");
  return Object.keys(AUDIENCES).filter((name) => AUDIENCES[name]?.test(text));
}

export const ALL_AUDIENCES: readonly string[] = Object.keys(AUDIENCES);

const CALLS: Readonly<Record<string, RegExp>> = {
  "try for free": /\btr(y|ial)|free\b|kostenlos/i,
  "see a demo": /\bdemo|tour|watch/i,
  "talk to sales": /\bcontact|sales|talk|call\b|quote|kontakt/i,
  "buy or book": /\bbuy|order|purchase|shop|cart|book|subscribe|choose|get (pro|plus|team)|kauf/i,
  "sign up": /\bsign ?up|get started|start|join|register|create/i,
  download: /\bdownload|install/i,
};

/** What a page asks its visitors to do, of the kinds above. */
export function callsOf(analysis: Analysis): string[] {
  return Object.keys(CALLS).filter((kind) => analysis.callsToAction.some(({ text }) => CALLS[kind]?.test(text)));
}

export const isCall = (kind: string, text: string): boolean => CALLS[kind]?.test(text) ?? false;
