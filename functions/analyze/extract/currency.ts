import { type SharedSigns, USUAL_SIGNS } from "./money.ts";
import { type PageDocument, textOf } from "./visible.ts";

const DOLLARS: Readonly<Record<string, string>> = {
  CA: "CAD",
  AU: "AUD",
  NZ: "NZD",
  SG: "SGD",
  HK: "HKD",
  MX: "MXN",
};
const SAID =
  /(?:prices?|fees|amounts?|plans?)\s+(?:are\s+)?(?:shown\s+|listed\s+|quoted\s+)?in\s+(?:(?<code>CAD|AUD|NZD|SGD|HKD|MXN|USD)|(?<land>canadian|australian|new zealand|singapore|us|u\.s\.)\s+dollars)/iu;
const LANDS: Readonly<Record<string, string>> = {
  canadian: "CAD",
  australian: "AUD",
  "new zealand": "NZD",
  singapore: "SGD",
};
const KRONA: Readonly<Record<string, string>> = { nb: "NOK", nn: "NOK", no: "NOK", da: "DKK", sv: "SEK" };

/** Whose dollars, kroner and yen a page means: by what it says, its structured data, its language's region, its host. */
export function sharedSigns(document: PageDocument, url: string): SharedSigns {
  const tag = document.documentElement?.getAttribute("lang") ?? "";
  const [language = "", region = ""] = tag.split(/[-_]/);
  const domain = new URL(url).hostname.split(".").at(-1)?.toUpperCase() ?? "";
  return {
    $:
      saidIn(document) ?? toldToMachines(document) ?? DOLLARS[region.toUpperCase()] ?? DOLLARS[domain] ?? USUAL_SIGNS.$,
    kr: KRONA[language.toLowerCase()] ?? KRONA[domain.toLowerCase()] ?? (domain === "DK" ? "DKK" : USUAL_SIGNS.kr),
    "¥": language.toLowerCase() === "zh" || domain === "CN" ? "CNY" : USUAL_SIGNS["¥"],
  };
}

function saidIn(document: PageDocument): string | undefined {
  for (const element of document.querySelectorAll("p, small, li, span, div")) {
    const text = textOf(element);
    const groups = text.length <= 300 ? SAID.exec(text)?.groups : undefined;
    if (groups) return groups["code"]?.toUpperCase() ?? LANDS[groups["land"]?.toLowerCase() ?? ""] ?? "USD";
  }
  return undefined;
}

/** Only for dollars: a page in US dollars may have euro prices in its structured data. */
function toldToMachines(document: PageDocument): string | undefined {
  const meta = document.querySelector(
    "meta[property='product:price:currency'], meta[property='og:price:currency'], meta[itemprop='priceCurrency']",
  );
  const told = [
    meta?.getAttribute("content"),
    ...[...document.querySelectorAll("script[type='application/ld+json']")].map(
      (script) => /"priceCurrency"\s*:\s*"([A-Z]{3})"/.exec((script.textContent ?? "").slice(0, 100_000))?.[1],
    ),
  ];
  return told.find((code) => code && [...Object.values(DOLLARS), "USD"].includes(code)) ?? undefined;
}
