import { describe, expect, test } from "vitest";
import { extract } from "../../functions/analyze/extract/extract.ts";
import type { Price } from "../../pipelines/market-analysis/analysis.ts";

const SHOT = "uid/shot.png";

function offersOf(body: string, { lang = "en", url = "https://www.shop.example/", head = "" } = {}) {
  return extract({
    html: `<!DOCTYPE html><html lang="${lang}"><head><title>Shop</title>${head}</head><body>${body}</body></html>`,
    url,
    title: "Shop",
    description: "",
    screenshot: SHOT,
    at: "2026-11-20T10:00:00.000Z",
  }).offers;
}

/** "29 USD month user from": how the tables below write a price. */
function short(price: Price | null): string {
  if (price === null) return "none";
  const { amount, currency, period, per, from } = price;
  return [amount, currency, period, per, from ? "from" : undefined].filter((part) => part !== undefined).join(" ");
}

function table(body: string, options?: Parameters<typeof offersOf>[1]): string[] {
  return offersOf(body, options).map(({ name, price }) => `${name}: ${short(price)}`);
}

const card = (name: string, price: string, rest = ""): string =>
  `<div class="c"><h3>${name}</h3><div>${price}</div>${rest}</div>`;

describe("how a price is written", () => {
  test.each<[written: string, read: string, lang?: string]>([
    ["$29", "29 USD once"],
    ["$29/mo", "29 USD month"],
    ["$29 / month", "29 USD month"],
    ["$29 per month", "29 USD month"],
    ["$29 a month", "29 USD month"],
    ["$29 monthly", "29 USD month"],
    ["$29/mo.", "29 USD month"],
    ["US$29/mo", "29 USD month"],
    ["29 USD / month", "29 USD month"],
    ["USD 29 per month", "29 USD month"],
    ["$29 USD/month", "29 USD month"],
    ["$1,299/yr", "1299 USD year"],
    ["$1,299.50 per year", "1299.5 USD year"],
    ["$9 per user / month", "9 USD month user"],
    ["$9 /user/month", "9 USD month user"],
    ["$9/seat/mo", "9 USD month seat"],
    ["$9 per month per seat", "9 USD month seat"],
    ["$9 per editor, per month", "9 USD month editor"],
    ["$9 per active member per month, billed annually", "9 USD month member"],
    ["$8/mo billed annually", "8 USD month"],
    ["$8 per month, billed $96 yearly", "8 USD month"],
    ["From $9/mo", "9 USD month from"],
    ["from just $9/mo", "9 USD month from"],
    ["Starting at $9 per month", "9 USD month from"],
    ["Starts at <b>$9</b> per month", "9 USD month from"],
    ["Plans from $9/month", "9 USD month from"],
    ["$9+ / month", "9 USD month from"],
    ["$40.00 - $80.00", "40 USD once from"],
    ["<s>$49</s> $39/month", "39 USD month"],
    ["<del>$49</del> <ins>$39</ins>", "39 USD once"],
    ['<span class="text-decoration-line-through">$20.00</span> $18.00', "18 USD once"],
    ['<span style="text-decoration: line-through">$20</span> $18', "18 USD once"],
    ['<span data-agentic-style="struck">$20</span> $18', "18 USD once"],
    ["Was $49, now $39", "39 USD once"],
    ["$10/week", "10 USD week"],
    ["$120 per hour", "120 USD hour"],
    ["$95/hr", "95 USD hour"],
    ["$25 per day", "25 USD day"],
    ["$299 one-time", "299 USD once"],
    ["$299 once, forever", "299 USD once"],
    ["<sup>$</sup>29<sup>99</sup>", "29.99 USD once"],
    ["<span>$</span><span>29</span><span>/mo</span>", "29 USD month"],
    ["<div><div>$29</div><div>per month</div></div>", "29 USD month"],
    ["<p>$12</p><p>per user</p><p>per month</p>", "12 USD month user"],
    ["<p>29</p><p>USD per month</p>", "29 USD month"],
    ["£11 pcm", "11 GBP month"],
    ["£1,200 p.a.", "1200 GBP year"],
    ["€29,90 / Monat", "29.9 EUR month", "de"],
    ["29,90 € / Monat", "29.9 EUR month", "de"],
    ["29,90\u00a0€ pro Nutzer und Monat", "29.9 EUR month user", "de"],
    ["ab 29 € im Monat", "29 EUR month from", "de"],
    ["1.299 € pro Jahr", "1299 EUR year", "de"],
    ["1.299,00 EUR jährlich", "1299 EUR year", "de"],
    ["29,- € monatlich", "29 EUR month", "de"],
    ["CHF 49.–/Monat", "49 CHF month", "de-CH"],
    ["CHF 1'200.- / Jahr", "1200 CHF year", "de-CH"],
    ["29 €/mois", "29 EUR month", "fr"],
    ["à partir de 1 200 € par an", "1200 EUR year from", "fr"],
    ["9 € par utilisateur et par mois", "9 EUR month user", "fr"],
    ["desde 19 €/mes", "19 EUR month from", "es"],
    ["19 € al mes por usuario", "19 EUR month user", "es"],
    ["R$ 49,90/mês", "49.9 BRL month", "pt-BR"],
    ["€ 15 per maand", "15 EUR month", "nl"],
    ["199 kr/mån", "199 SEK month", "sv"],
    ["199 kr/måned", "199 NOK month", "nb"],
    ["199 kr. pr. måned", "199 DKK month", "da"],
    ["99 zł / miesiąc", "99 PLN month", "pl"],
    ["499 Kč měsíčně", "499 CZK month", "cs"],
    ["¥1,500/月", "1500 JPY month", "ja"],
    ["月額1,500円", "1500 JPY month", "ja"],
    ["₹999/month", "999 INR month"],
    ["A$15/mo", "15 AUD month"],
    ["CA$15/mo", "15 CAD month"],
    ["C$15/mo", "15 CAD month"],
    ["NZ$15/mo", "15 NZD month"],
    ["S$15/mo", "15 SGD month"],
    ["HK$150/mo", "150 HKD month"],
    ["$0", "0 USD month"],
    ["$0/month", "0 USD month"],
    ["Free", "0 USD month"],
    ["Free forever", "0 USD month"],
    ["Kostenlos", "0 EUR month", "de"],
    ["Contact us", "none"],
    ["Contact sales", "none"],
    ["Custom", "none"],
    ["Custom pricing", "none"],
    ["Let’s talk", "none"],
    ["Talk to us", "none"],
    ["Price on request", "none"],
    ["Auf Anfrage", "none", "de"],
    ["Sur devis", "none", "fr"],
  ])("%s", (written, read, lang = "en") => {
    const money = lang === "de" ? "19 € / Monat" : "$19/mo";
    const expected = read.replace(/^0 USD/, "0 USD");
    expect(table(card("Basic", money) + card("Pro", written), { lang })).toEqual([
      expect.anything(),
      `Pro: ${expected}`,
    ]);
  });
});

describe("a bare dollar", () => {
  test.each<[string, { lang?: string; url?: string; head?: string }, string]>([
    ["is a US dollar", {}, "USD"],
    ["of Canada by the page's language", { lang: "en-CA" }, "CAD"],
    ["of Australia by the host", { url: "https://shop.com.au/" }, "AUD"],
    ["of New Zealand by the host", { url: "https://shop.co.nz/" }, "NZD"],
    ["by what the page tells machines", { head: '<meta property="product:price:currency" content="CAD">' }, "CAD"],
    [
      "by schema.org",
      {
        head: '<script type="application/ld+json">{"@type":"Product","name":"X","offers":{"price":"19","priceCurrency":"AUD"}}</script>',
      },
      "AUD",
    ],
  ])("%s", (_what, options, currency) => {
    expect(table(card("Basic", "$19/mo") + card("Pro", "$29/mo"), options)).toEqual([
      `Basic: 19 ${currency} month`,
      `Pro: 29 ${currency} month`,
    ]);
  });
  test("by what the page says", () => {
    expect(table(`${card("Basic", "$19/mo")}${card("Pro", "$29/mo")}<p>All prices in CAD.</p>`)).toEqual([
      "Basic: 19 CAD month",
      "Pro: 29 CAD month",
    ]);
  });
});

describe("where offers stand", () => {
  test.each<[what: string, body: string, offers: string[]]>([
    [
      "a plan that is called as a button might be",
      card("Shop", "$39/mo") + card("Chain", "$79/mo"),
      ["Shop: 39 USD month", "Chain: 79 USD month"],
    ],
    [
      "below its button and its price",
      "<div class='card'><button>Add to cart</button><div>$299</div><h4>Wooden table</h4></div><div class='card'><div><span>Buy now</span></div><div>$19</div><h4>Lamp</h4></div>",
      ["Wooden table: 299 USD once", "Lamp: 19 USD once"],
    ],
    [
      "cards with badges, subtitles and lists",
      `<section><h2>Pricing</h2><div class="row">
        <div class="col"><div class="card"><span>Most popular</span><h3>Team</h3><p>Best for growing teams</p><p>$29<span>/mo</span></p><ul><li>10 GB</li></ul><a class="btn">Choose</a></div></div>
        <div class="col"><div class="card"><h3>Business</h3><p>For departments</p><p>$99<span>/mo</span></p><ul><li>1 TB</li></ul><a class="btn">Choose</a></div></div>
      </div></section>`,
      ["Team: 29 USD month", "Business: 99 USD month"],
    ],
    [
      "names without headings",
      `<div><div><div>Starter</div><div>$9</div><div>/month</div></div><div><div>Pro</div><div>$19</div><div>/month</div></div></div>`,
      ["Starter: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "the price above the name",
      `<div><div><p>$9/mo</p><h3>Starter</h3></div><div><p>$19/mo</p><h3>Pro</h3></div></div>`,
      ["Starter: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "no box around each",
      `<section><h3>Basic</h3><p>$9/mo</p><ul><li>A</li></ul><h3>Pro</h3><p>$19/mo</p><ul><li>B</li></ul></section>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "two ways to pay in a card: the first counts",
      `<div>${card("Pro", "<p>Monthly $10/mo</p><p>Yearly $100/yr</p>")}${card("Max", "<p>Monthly $20/mo</p><p>Yearly $200/yr</p>")}</div>`,
      ["Pro: 10 USD month", "Max: 20 USD month"],
    ],
    [
      "a toggle: what is hidden does not count",
      `<div>${card("Pro", "<p hidden>$10/mo</p><p>$96/yr</p>")}${card("Max", '<p style="display:none">$20/mo</p><p>$192/yr</p>')}${card("Ultra", '<p data-agentic-style="hidden">$40/mo</p><p>$384/yr</p>')}</div>`,
      ["Pro: 96 USD year", "Max: 192 USD year", "Ultra: 384 USD year"],
    ],
    [
      "free, priced and on request side by side",
      `<div>${card("Hobby", "Free")}${card("Pro", "$20 per user/month")}${card("Enterprise", "Custom")}</div>`,
      ["Hobby: 0 USD month", "Pro: 20 USD month user", "Enterprise: none"],
    ],
    [
      "a plan called Free",
      `<div>${card("Free", "$0")}${card("Pro", "$20/mo")}</div>`,
      ["Free: 0 USD month", "Pro: 20 USD month"],
    ],
    [
      "an enterprise card with a button only",
      `<div>${card("Pro", "$20/mo", "<ul><li>All of it</li></ul><a>Buy</a>")}<div class="c"><h3>Enterprise</h3><p>For large organisations</p><ul><li>SSO</li></ul><a>Contact sales</a></div></div>`,
      ["Pro: 20 USD month", "Enterprise: none"],
    ],
    [
      "plans as columns",
      `<table><thead><tr><th></th><th>Basic</th><th>Pro</th><th>Enterprise</th></tr></thead><tbody><tr><td>Price</td><td>$9/mo</td><td>$19/mo</td><td>Contact us</td></tr><tr><td>Users</td><td>1</td><td>10</td><td>Any</td></tr></tbody></table>`,
      ["Basic: 9 USD month", "Pro: 19 USD month", "Enterprise: none"],
    ],
    [
      "prices in the heads of columns",
      `<table><tr><th>Feature</th><th>Basic <span>$9/mo</span></th><th>Pro <span>$19/mo</span></th></tr><tr><td>Users</td><td>1</td><td>10</td></tr></table>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "plans as rows",
      `<table><tr><th>Plan</th><th>Users</th><th>Price per month</th></tr><tr><td>Basic</td><td>1</td><td>€9</td></tr><tr><td>Pro</td><td>10</td><td>€19</td></tr></table>`,
      ["Basic: 9 EUR month", "Pro: 19 EUR month"],
    ],
    [
      "plans as rows, with two ways to pay",
      `<table><tr><th>Plan</th><th>Monthly</th><th>Yearly</th></tr><tr><td>Basic</td><td>$9</td><td>$90</td></tr><tr><td>Pro</td><td>$19</td><td>$190</td></tr></table>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "a list of services",
      `<h2>Rates</h2><ul><li>Consulting <b>$150/hour</b></li><li>Workshop: $900 per day</li><li>Retainer – $4,000/month</li></ul>`,
      ["Consulting: 150 USD hour", "Workshop: 900 USD day", "Retainer: 4000 USD month"],
    ],
    [
      "a definition list",
      `<dl><dt>Single</dt><dd>£5 a month</dd><dt>Family</dt><dd>£8 a month</dd></dl>`,
      ["Single: 5 GBP month", "Family: 8 GBP month"],
    ],
    [
      "a shop's products",
      `<div class="row"><div class="col"><div class="card"><img alt="…"><div class="card-body"><h5>Fancy Product</h5>$40.00 - $80.00</div><div class="card-footer"><a class="btn">View options</a></div></div></div><div class="col"><div class="card"><div class="badge">Sale</div><img alt="…"><div class="card-body"><h5>Special Item</h5><span>★★★★★</span><span class="text-decoration-line-through">$20.00</span> $18.00</div></div></div></div>`,
      ["Fancy Product: 40 USD once from", "Special Item: 18 USD once"],
    ],
    [
      "plans called by their period",
      `<div>${card("Monthly", "$10")}${card("Yearly", "$100")}</div>`,
      ["Monthly: 10 USD month", "Yearly: 100 USD year"],
    ],
    [
      "salaries and earnings are nobody's to pay",
      "<h5>Earnings (Monthly)</h5><div>$40,000</div><table><tr><th>Name</th><th>Salary</th></tr><tr><td>Ada</td><td>$120,000</td></tr><tr><td>Bo</td><td>$90,000</td></tr></table>",
      [],
    ],
    [
      "the section says the period",
      `<section><h2>Monthly plans</h2><div>${card("Basic", "$9")}${card("Pro", "$19")}</div></section>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "the switch says the period",
      `<section><h2>Pricing</h2><button aria-pressed="true">Monthly</button><button aria-pressed="false">Yearly</button><div>${card("Basic", "$9")}${card("Pro", "$19")}</div></section>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "one offer in a sentence",
      `<header><h1>Payroll made easy</h1></header><main><p>Plans start at $40 per month.</p></main>`,
      ["Shop: 40 USD month from"],
    ],
    [
      "a teaser above the cards says it again",
      `<header><h1>Best tool</h1><p>From $9/mo. No card needed.</p></header><div>${card("Basic", "$9/mo")}${card("Pro", "$19/mo")}</div>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "the same cards for phones",
      `<div class="desktop">${card("Basic", "$9/mo")}${card("Pro", "$19/mo")}</div><div class="mobile">${card("Basic", "$9/mo")}${card("Pro", "$19/mo")}</div>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "money that is no price",
      `<div>${card("Basic", "$9/mo")}${card("Pro", "$19/mo", "<p>Save $40 a year</p><p>$100 in free credits</p>")}</div>
       <section><h2>Customers</h2><blockquote>It saved us $40,000 a year.</blockquote><p>Our customers manage $2.5B in assets and we raised $20M.</p><div><h3>Processed</h3><p>$4 billion</p></div></section>
       <section><h2>FAQ</h2><h3>How much is an extra seat?</h3><p>Each extra seat is $5 per month.</p></section>
       <footer>Shipping from $4.99. Orders over $50 ship free.</footer>`,
      ["Basic: 9 USD month", "Pro: 19 USD month"],
    ],
    [
      "add-ons inside a card",
      `<div>${card("Pro", "$19/mo", "<p>plus $5 for each extra seat</p><ul><li>Extra storage $2/GB</li></ul>")}${card("Max", "$39/mo")}</div>`,
      ["Pro: 19 USD month", "Max: 39 USD month"],
    ],
    [
      "a trial before the price",
      `<div>${card("Pro", "<p>Free for 14 days</p><p>then $29/mo</p>")}${card("Max", "$39/mo")}</div>`,
      ["Pro: 29 USD month", "Max: 39 USD month"],
    ],
    [
      "schema.org only",
      `<h1>Lamp</h1><script type="application/ld+json">{"@context":"https://schema.org","@type":"Product","name":"Lamp","offers":{"@type":"Offer","price":"49.00","priceCurrency":"EUR"}}</script>`,
      ["Lamp: 49 EUR once"],
    ],
    [
      "schema.org in a graph, with a subscription's period",
      `<script type="application/ld+json">{"@graph":[{"@type":"SoftwareApplication","name":"App","offers":[{"@type":"Offer","name":"Pro","price":12,"priceCurrency":"USD","priceSpecification":{"@type":"UnitPriceSpecification","unitCode":"MON"}},{"@type":"AggregateOffer","name":"All","lowPrice":"5","highPrice":"50","priceCurrency":"USD"}]}]}</script>`,
      ["Pro: 12 USD month", "All: 5 USD once from"],
    ],
    [
      "no offers",
      `<h1>Blog</h1><p>Hello.</p><a href="/contact">Contact us</a><p>It is free of charge to read.</p>`,
      [],
    ],
    ["navigation only", `<nav><a>Pricing</a><a>Contact sales</a><a>Free trial</a></nav><h1>Hi</h1>`, []],
    ["broken schema.org", `<script type="application/ld+json">{"price": </script><h1>Hi</h1>`, []],
  ])("%s", (_what, body, offers) => {
    expect(table(body)).toEqual(offers);
  });

  test("a card's features and its words as evidence", () => {
    const [, pro] = offersOf(
      `<div>${card("Basic", "$9/mo")}${card("Pro", "$19/mo", "<ul><li>10 users</li><li><s>SSO</s></li><li>API</li></ul>")}</div>`,
    );
    expect(pro).toMatchObject({ features: ["10 users", "API"], evidence: { screenshot: SHOT } });
    expect(pro?.evidence.text).toMatch(/^Pro \$19\/mo/);
  });
});
