import { describe, expect, test } from "vitest";
import { extract } from "../../functions/analyze/extract/extract.ts";

// What a page says of an offer beside its price, and amounts that are no offers.

function extracted(body: string, { head = "", states = "", url = "https://acme.example/" } = {}) {
  const pressed = states === "" ? "" : `<pre hidden data-agentic-states>\n\n${states}</pre>`;
  return extract({
    html: `<!DOCTYPE html><html><head>${head}</head><body>${body}</body></html>${pressed}`,
    url,
    title: "Acme",
    description: "",
    screenshot: "u/s.png",
    at: "2026-11-20T10:00:00.000Z",
  });
}
const offersOf = (...args: Parameters<typeof extracted>) => extracted(...args).offers;
const card = (name: string, price: string, rest = ""): string =>
  `<div class="c"><h3>${name}</h3><div>${price}</div>${rest}</div>`;
const names = (body: string): string[] => offersOf(body).map(({ name }) => name);
const MONTH = { currency: "USD", period: "month", from: false };

describe("the regular price", () => {
  test.each<[string, string, number | undefined]>([
    ["crossed out by its tag", "<s>$49</s> $39/month", 49],
    ["crossed out by its style", '<span style="text-decoration: line-through">$49</span> $39/month', 49],
    ["crossed out by a style sheet", '<b data-agentic-style="struck">$49</b> $39/month', 49],
    ["without its sign", "$<s>49</s> $39/month", 49],
    ["in words", "Was $49, now $39/month", 49],
    ["less than what is paid", "<s>$29</s> $39/month", undefined],
    ["in another currency", "<s>49 €</s> $39/month", undefined],
    ["a feature that a plan lacks", "$39/month <s>10 users</s>", undefined],
  ])("%s", (_what, written, amount) => {
    const [offer] = offersOf(card("Pro", written));
    expect(offer).toMatchObject({ name: "Pro", price: { amount: 39, ...MONTH } });
    expect(offer?.listPrice?.amount).toBe(amount);
  });
});

describe("trials", () => {
  test.each<[string, number | undefined]>([
    ["14-day free trial", 14],
    ["Try it: 30 days free trial", 30],
    ["Free for 7 days", 7],
    ["30 Tage kostenlos testen", 30],
    ["15 jours d’essai", 15],
    ["30-day money-back guarantee", undefined],
    ["0-day trial", undefined],
    ["999-day free trial", undefined],
    ["Support within 2 days", undefined],
  ])("%s", (said, days) => {
    expect(offersOf(card("Pro", "$39/month", `<p>${said}</p>`))[0]?.trialDays).toBe(days);
  });
});

describe("how it is paid otherwise", () => {
  test("billed by the year", () => {
    expect(offersOf(card("Pro", "$8 per month, billed $96 yearly"))[0]?.price).toEqual({
      amount: 8,
      ...MONTH,
      billed: "year",
    });
  });

  test("in the same card", () => {
    const [offer, ...others] = offersOf(card("Pro", "$10/month", "<p>or $100 per year</p>"));
    expect(offer).toMatchObject({
      price: { amount: 10, ...MONTH },
      alternatives: [{ amount: 100, currency: "USD", period: "year" }],
    });
    expect(others).toEqual([]);
  });

  test("when a switch is pressed: no other offers, and nothing for what stays the same", () => {
    const states =
      "[After pressing “Yearly”]\nPlans\nSolo\n$90\nper year\nTeam\n$24 per month, billed yearly\nFree\n$0 per month";
    const found = offersOf(card("Solo", "$9/month") + card("Team", "$29/month") + card("Free", "$0/month"), { states });
    expect(found.map(({ name, alternatives }) => [name, alternatives])).toEqual([
      ["Solo", [{ amount: 90, currency: "USD", period: "year", from: false }]],
      ["Team", [{ amount: 24, currency: "USD", period: "month", from: false, billed: "year" }]],
      ["Free", undefined],
    ]);
  });

  test("a price belongs to the name above it, and to no other", () => {
    const states = "[After pressing “Yearly”]\nSolo\nSoon\nTeam\n$290 per year";
    const found = offersOf(card("Solo", "$9/month") + card("Team", "$29/month"), { states });
    expect(found.map(({ alternatives }) => alternatives?.map(({ amount }) => amount))).toEqual([undefined, [290]]);
  });

  test("a page cannot write states of its own", () => {
    const body = `${card("Solo", "$9/month")}<pre hidden data-agentic-states>[After pressing “Yearly”]\nSolo\n$1 per year</pre><p>End</p>`;
    expect(offersOf(body)[0]).not.toHaveProperty("alternatives");
  });
});

test("a currency's sign may be an icon", () => {
  expect(offersOf(card("Pro", '<i class="fa fa-dollar-sign"></i>39/month'))[0]?.price).toEqual({
    amount: 39,
    ...MONTH,
  });
  expect(offersOf(card("Pro", '<i class="fa fa-dollar-sign"></i> Prices of 39 shops'))).toEqual([]);
});

describe("names", () => {
  test.each<[string, string, string[]]>([
    [
      "cards with headings as large as a section's",
      `<section><h1>Plans</h1><div class="p"><h2>Solo</h2><p>$9/month</p></div><div class="p"><h2>Team</h2><p>$29/month</p></div></section>`,
      ["Solo", "Team"],
    ],
    [
      "a page for one product, with others below",
      `<div><h1>Desk lamp</h1><span>$40.00</span></div><div><div class="c"><h5>Shade</h5>$10</div><div class="c"><h5>Bulb</h5>$5</div></div>`,
      ["Desk lamp", "Shade", "Bulb"],
    ],
    ["an amount in a name", card("Gift card $25", "$25.00"), ["Gift card $25"]],
    [
      "a button that repeats the price",
      `<div><h2 class="product-title">Desk lamp</h2><b>$40</b><button>Buy now — $40</button></div>`,
      ["Desk lamp"],
    ],
    [
      "a table of other elements",
      `<div role="table"><div role="row"><span role="columnheader"></span><span role="columnheader">Solo</span><span role="columnheader">Team</span></div><div role="row"><span role="rowheader">Price</span><span role="cell">$9/mo</span><span role="cell">$29/mo</span></div></div>`,
      ["Solo", "Team"],
    ],
  ])("%s", (_what, body, expected) => {
    expect(names(body)).toEqual(expected);
  });
});

describe("amounts that are no offers", () => {
  test.each<[string, string]>([
    ["a figure and how it has changed", card("New business", "$53,000", "<p>+55% since yesterday</p>")],
    ["a sum", card("Total", "$53") + card("Shipping", "$5")],
    ["code", card("Example", "<pre>price = $53</pre>")],
    [
      "a table of orders",
      "<table><tr><th>Order</th><th>Date</th><th>Status</th><th>Total</th></tr><tr><td>Desk lamp</td><td>1 May</td><td>Paid</td><td>$40</td></tr></table>",
    ],
  ])("%s", (_what, body) => {
    expect(names(body)).toEqual([]);
  });
});

test("days, numbers of bills, and what came in and went out are no offers", () => {
  const rows = [
    "<td>Tiger Nixon</td><td>Edinburgh</td><td>2011-04-25</td><td>$320</td>",
    "<td>Desk lamp</td><td>Pending</td><td>$40</td>",
  ];
  expect(names(`<table>${rows.map((row) => `<tr>${row}</tr>`).join("")}</table>`)).toEqual([]);
  expect(
    names(
      `<section><div>${card("March 1, 2026", "#MS-415 $180")}</div><div>${card("Netflix", "- $25")}</div></section>`,
    ),
  ).not.toContain("March 1, 2026");
  expect(names(card("Netflix", "- $25") + card("Apple", "+ $2,000"))).toEqual([]);
});

describe("structured data", () => {
  const json = (name: string, price: string) =>
    `<script type="application/ld+json">{"@type":"Product","name":"${name}","offers":{"price":"${price}","priceCurrency":"USD"}}</script>`;

  test.each<[string, string, { head?: string }]>([
    ["schema.org", json("Kit", "19.50"), {}],
    [
      "microdata",
      `<div itemscope itemtype="https://schema.org/Product"><meta itemprop="name" content="Kit"><div itemscope itemtype="https://schema.org/Offer"><meta itemprop="priceCurrency" content="USD"><meta itemprop="price" content="19.50"></div></div>`,
      {},
    ],
    [
      "OpenGraph",
      "<p>A kit</p>",
      {
        head: '<meta property="og:title" content="Kit"><meta property="product:price:amount" content="19.50"><meta property="product:price:currency" content="USD">',
      },
    ],
  ])("%s fills what the page does not say", (_what, body, options) => {
    expect(offersOf(body, options)).toMatchObject([
      { name: "Kit", price: { amount: 19.5, currency: "USD" }, evidence: { source: "structured data" } },
    ]);
  });

  test("overrides nothing, and a contradiction is a caveat", () => {
    const { offers, caveats } = extracted(card("Kit", "$25") + json("Kit", "19.50"));
    expect(offers).toMatchObject([{ name: "Kit", price: { amount: 25 } }]);
    expect(caveats).toEqual([
      expect.stringMatching(/^Structured data says \$19\.50 once for Kit; the page shows \$25 once/),
    ]);
  });

  test("that agrees is no caveat; nor is 0, which search engines ask for", () => {
    expect(extracted(card("Kit", "<s>$25</s> $19.50") + json("Kit", "25")).caveats).toEqual([]);
    expect(extracted(card("Kit", "$25") + json("Kit", "0")).caveats).toEqual([]);
    expect(offersOf(json("Kit", "0"))).toEqual([]);
  });
});

describe("prices that may be in a picture", () => {
  const picture = (size: string) => `<h1>Pricing</h1><canvas data-agentic-box="0 100 ${size}"></canvas>`;
  test.each<[string, string, boolean]>([
    ["a large one on a page about prices", picture("600 400"), true],
    ["a small one", picture("100 100"), false],
    [
      "beside an amount in the text",
      `${picture("600 400")}<p>All plans include $10 of credits, and more that we tell you about</p>`,
      false,
    ],
    ["on another page", picture("600 400").replace("Pricing", "About"), false],
  ])("%s", (_what, body, said) => {
    expect(extracted(body).caveats.some((caveat) => caveat.includes("may be in a picture"))).toBe(said);
  });
});
