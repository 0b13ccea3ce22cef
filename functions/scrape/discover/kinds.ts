import type { PageKind } from "../../../pipelines/market-analysis/capture.ts";

/** Kinds of pages that are looked for, the most telling first. */
export type SoughtKind = Exclude<PageKind, "home" | "other">;
export const SOUGHT_KINDS: readonly SoughtKind[] = [
  "pricing",
  "product",
  "customers",
  "about",
  "changelog",
  "careers",
  "docs",
];

/**
 * How sites call these pages, in paths and in links, without accents: English, German, French, Spanish, Portuguese, Italian, Dutch,
 * Swedish, Danish, Norwegian, Finnish, Polish, Czech, Japanese, Chinese, Korean.
 */
const NAMES: Readonly<Record<SoughtKind, string>> = {
  pricing:
    "pricing|prices?|plans?|packages|subscriptions?|preise?|preisliste|preisubersicht|tarife?|abos?|tarifs?|prix|offres|formules|abonnements?|precios?|tarifas?|planes|precos?|planos|prezzi|tariffe|piani|abbonamenti|prijzen|tarieven|abonnementen|priser|pris|prislista|hinnat|hinnasto|hinnoittelu|cennik|ceny|cenik|料金|料金プラン|価格|プラン|价格|價格|定价|定價|套餐|요금|요금제|가격",
  product:
    "products?|features?|platform|solutions?|tour|capabilities|how it works|produkte?|funktionen|losungen|plattform|leistungen|produits?|fonctionnalites|plateforme|productos?|funciones|funcionalidades|caracteristicas|soluciones|plataforma|produtos?|recursos|solucoes|prodotto|prodotti|funzionalita|funzioni|soluzioni|piattaforma|producten|functies|functionaliteiten|oplossingen|produkter|funktioner|funksjoner|losningar|løsninger|tuotteet|tuote|ominaisuudet|ratkaisut|produkty|produkt|funkcje|rozwiazania|funkce|reseni|製品|機能|特徴|サービス|ソリューション|产品|產品|功能|解决方案|解決方案|제품|기능|솔루션",
  customers:
    "customers?|clients?|case study|case studies|success stories|customer stories|testimonials|references?|kunden|kundenstimmen|referenzen|erfolgsgeschichten|fallstudien|temoignages|etudes de cas|clientes|casos de exito|casos de sucesso|testimonios|depoimentos|clienti|casi di successo|testimonianze|klanten|klantverhalen|referenties|kunder|kundcase|kundecases|kundehistorier|referenser|asiakkaat|asiakastarinat|referenssit|klienci|referencje|zakaznici|お客様|お客様の声|導入事例|事例|客户|客戶|客户案例|案例|고객|고객사례|고객 사례",
  about:
    "about|about us|company|our story|who we are|team|uber uns|unternehmen|wer wir sind|a propos|qui sommes nous|entreprise|notre histoire|equipe|sobre nosotros|nosotros|quienes somos|acerca de|empresa|sobre|sobre nos|quem somos|chi siamo|azienda|over ons|bedrijf|om oss|om os|foretaget|virksomheden|tietoa meista|meista|yritys|o nas|firma|o spolecnosti|会社概要|会社情報|企業情報|私たちについて|关于|关于我们|關於我們|公司简介|회사소개|회사 소개",
  changelog:
    "changelog|change log|release notes|releases|whats new|what s new|updates|product updates|neuigkeiten|neuerungen|versionshinweise|was ist neu|nouveautes|notes de version|novedades|registro de cambios|novidades|notas de versao|novita|note di rilascio|wijzigingen|wat is er nieuw|andringslogg|ændringslog|endringslogg|muutosloki|julkaisutiedot|lista zmian|dziennik zmian|seznam zmen|更新履歴|リリースノート|更新日志|更新日誌|发布说明|업데이트|릴리스 노트|변경 로그",
  careers:
    "careers?|jobs?|join us|work with us|open positions|vacancies|karriere|stellen|stellenangebote|offene stellen|carrieres?|emplois?|recrutement|nous rejoindre|empleos?|trabaja con nosotros|carreiras|vagas|trabalhe conosco|carriere|lavora con noi|posizioni aperte|vacatures|werken bij|karriar|lediga jobb|jobba hos oss|ledige stillinger|tyopaikat|avoimet tyopaikat|kariera|praca|oferty pracy|volna mista|採用|採用情報|求人|招聘|加入我们|加入我們|人才招聘|채용|채용정보|인재채용",
  docs: "docs?|documentation|help|help center|help centre|support|guides?|knowledge base|faqs?|developers?|api|api reference|manual|dokumentation|hilfe|handbuch|anleitungen|aide|centre d aide|documentacion|ayuda|guias?|documentacao|ajuda|central de ajuda|documentazione|guida|assistenza|documentatie|handleiding|hjalp|hjælp|dokumentasjon|hjelp|dokumentaatio|ohjeet|tuki|dokumentacja|pomoc|dokumentace|napoveda|ドキュメント|ヘルプ|ガイド|よくある質問|文档|文檔|帮助|帮助中心|指南|常见问题|문서|도움말|가이드|고객센터",
};

/** Of a name the kind that it stands for; "price" and "prices" are two names of "prices?". */
const KIND_OF = new Map(
  SOUGHT_KINDS.toReversed().flatMap((kind) =>
    NAMES[kind]
      .split("|")
      .flatMap((name) => (name.endsWith("?") ? [name.slice(0, -2), name.slice(0, -1)] : [name]))
      .map((name) => [name, kind] as const),
  ),
);
/** Scripts without spaces: a name stands anywhere in the text. */
const UNSPACED = [...KIND_OF].filter(([name]) => /^[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}ー ]+$/u.test(name));

/** Folders of articles and of what is about nothing that is sold: "how-we-set-our-prices" is no page of prices. */
const ASIDE =
  /^(?:blog|news|press|presse|posts?|articles?|magazin|magazine|journal|events?|webinars?|forum|community|tags?|category|author|legal|privacy|datenschutz|impressum|imprint|terms|agb|cookies?|login|log-in|signin|sign-in|signup|sign-up|register|account|cart|checkout|search|wp-json|feed|rss)$/;
/** Words of a link or a part of a path that say more than a page's name, and words of the longest name. */
const MAX_WORDS = 5;
const MAX_NAME = 4;
const MAX_CHARS = 100;

/**
 * What a page is about, by its address and the words of a link to it. `score`: how sure that is, from 2 on. Undefined: none of the kinds
 * that are looked for.
 */
export function kindOf(url: URL, words: string): { readonly kind: SoughtKind; readonly score: number } | undefined {
  const segments = url.pathname.split("/").filter(Boolean).slice(0, 10).map(plain);
  if (segments.some((segment) => ASIDE.test(segment.replaceAll(" ", "-")))) return undefined;
  const last = (segments.at(-1) ?? "").replace(/ (?:html?|php|aspx?|jsp)$/, "");
  const scores = new Map<SoughtKind, number>();
  const add = (kind: SoughtKind | undefined, score: number) =>
    kind && scores.set(kind, (scores.get(kind) ?? 0) + score);
  const judge = (text: string, whole: number, within: number) => {
    const exact = KIND_OF.get(text);
    add(exact, whole);
    if (text.split(" ").length <= MAX_WORDS)
      for (const kind of kindsWithin(text)) if (kind !== exact) add(kind, within);
  };
  judge(last, 4, 2);
  if (!KIND_OF.has(last))
    for (const kind of new Set(segments.slice(0, -1).map((folder) => KIND_OF.get(folder)))) add(kind, 1);
  judge(plain(words), 3, 2);
  let best: { kind: SoughtKind; score: number } | undefined;
  for (const kind of SOUGHT_KINDS) {
    const score = scores.get(kind) ?? 0;
    if (score >= 2 && score > (best?.score ?? 0)) best = { kind, score };
  }
  return best;
}

/** Of names that stand in the text as whole words. */
function kindsWithin(text: string): Set<SoughtKind> {
  const found = new Set(UNSPACED.flatMap(([name, kind]) => (text.includes(name) ? [kind] : [])));
  const words = text.split(" ");
  for (let from = 0; from < words.length; from++)
    for (let to = from + 1; to <= Math.min(words.length, from + MAX_NAME); to++) {
      const kind = KIND_OF.get(words.slice(from, to).join(" "));
      if (kind) found.add(kind);
    }
  return found;
}

/** Lower case, without accents, with spaces for all that is neither letter nor digit. */
function plain(text: string): string {
  const decoded = decode(text).slice(0, MAX_CHARS).toLowerCase().normalize("NFD");
  return decoded
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
