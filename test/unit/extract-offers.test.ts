import { describe, expect, test } from "vitest";
import { extract } from "../../functions/analyze/extract/extract.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";

/** "Basic: $9 a month; Pro: none", of a page of three cards or of what is given. */
function offersOf(body: string): string {
  const html = `<!DOCTYPE html><html lang="en"><head><title>Acme</title></head><body><h1>Acme</h1><section><h2>Our plans</h2>${body}</section></body></html>`;
  const { offers } = extract({
    html,
    url: "https://www.acme.example/pricing",
    at: "2026-11-20T10:00:00.000Z",
    title: "Acme",
    description: "",
    screenshot: "uid/shot.png",
  });
  return offers.map(({ name, price }) => `${name}: ${price ? describePrice(price) : "none"}`).join("; ");
}

const PLANS = [
  ["Basic", "9"],
  ["Pro", "29"],
  ["Business", "99"],
] as const;
const row = (card: (name: string, price: string) => string): string =>
  `<div class="row">${PLANS.map(([name, price]) => card(name, price)).join("")}</div>`;
const MONTHLY = "Basic: $9 a month; Pro: $29 a month; Business: $99 a month";
const ONCE = "Basic: $9 once; Pro: $29 once; Business: $99 once";

describe("the same three plans, built another way", () => {
  test.each<[what: string, body: string, offers: string]>([
    [
      "lists side by side",
      row((n, p) => `<ul class="t"><li>${n}</li><li>$${p}<span>/month</span></li><li>10 GB</li><li>5 users</li></ul>`),
      MONTHLY,
    ],
    [
      "a table for each plan",
      row((n, p) => `<table><tr><th>${n}</th></tr><tr><td>$${p} per month</td></tr><tr><td>10 users</td></tr></table>`),
      MONTHLY,
    ],
    [
      "a sheet for each plan, with its price in a labelled row",
      row(
        (n, p) =>
          `<div><h3>${n}</h3><table><tr><td>Users</td><td>5</td></tr><tr><td>Price</td><td>$${p}/mo</td></tr></table></div>`,
      ),
      MONTHLY,
    ],
    [
      "names and prices in rows of their own",
      `<div>${PLANS.map(([n]) => `<b>${n}</b>`).join("")}</div><div>${PLANS.map(([, p]) => `<i>$${p}</i>`).join("")}</div>`,
      ONCE,
    ],
    [
      "a table without its tags",
      `<div><div><p>Feature</p><p>Basic</p><p>Pro</p></div><div><p>Users</p><p>1</p><p>9</p></div><div><p>Price</p><p>$9</p><p>$29</p></div></div>`,
      "Basic: $9 once; Pro: $29 once",
    ],
    [
      "a title above the heads of a table",
      `<table><tr><td colspan="3">Plans</td></tr><tr><td></td><td>Basic</td><td>Pro</td></tr><tr><td>Price</td><td>$9</td><td>$29</td></tr></table>`,
      "Basic: $9 once; Pro: $29 once",
    ],
    [
      "the price above a name without heading",
      row((n, p) => `<div class="c"><p>$${p}/mo</p><p>${n}</p></div>`),
      MONTHLY,
    ],
    [
      "headings as large as those of sections, the middle card drawn otherwise",
      row(
        (n, p) =>
          `<div class="c ${n}"><div><h2>${n}</h2><p>For many.</p></div><div><h2>$${p}</h2><p>per month</p></div></div>`,
      ),
      MONTHLY,
    ],
    [
      "prices in footers of articles",
      row((n, p) => `<article><header><h3>${n}</h3></header><footer><span>$${p}</span></footer></article>`),
      ONCE,
    ],
    [
      "the period behind a stroke",
      row((n, p) => `<div class="c"><div>${n}</div><b>$${p}</b><i>/ Monthly</i></div>`),
      MONTHLY,
    ],
    [
      "a short period behind a stroke",
      row((n, p) => `<div class="c"><h1>${n}</h1><b>$${p}</b><span>/ <i>Mon</i></span></div>`),
      MONTHLY,
    ],
    [
      "what an extra costs, behind the price",
      row((n, p) => `<div class="c"><h3>${n}</h3><p>$${p}/mo + $2 per extra user</p></div>`),
      MONTHLY,
    ],
  ])("%s", (_, body, offers) => {
    expect(offersOf(body)).toBe(offers);
  });
});

describe("the name of an offer", () => {
  test.each<[what: string, card: (name: string, price: string) => string]>([
    ["above whom it is for", (n, p) => `<div class="c"><h3>For growing teams</h3><h2>${n}</h2><p>$${p}</p></div>`],
    [
      "by what markup calls it",
      (n, p) => `<div class="c"><b class="plan-name">${n}</b><h3>All you need</h3><p>$${p}</p></div>`,
    ],
    [
      "beside a badge in its heading",
      (n, p) => `<div class="c"><h3>${n} <span class="badge">Loved</span></h3><p>$${p}</p></div>`,
    ],
    ["above a subtitle in its heading", (n, p) => `<div class="c"><h3>${n}<br>with all of it</h3><p>$${p}</p></div>`],
    [
      "above a subtitle that is drawn below",
      (n, p) =>
        `<div class="c"><div><b data-agentic-box="10 100 50 20 16">${n}</b> <span data-agentic-box="10 124 80 14 12">with it all</span></div><p>$${p}</p></div>`,
    ],
    ["before a dash", (n, p) => `<div class="c"><p><b>${n}</b> – all you need</p><p>$${p}</p></div>`],
    ["as a link among stars", (n, p) => `<div class="c"><div>★★★★★ (12)</div><a href="#">${n}</a><p>$${p}</p></div>`],
    ["below reviews", (n, p) => `<div class="c"><div>4.5 (120 reviews)</div><div>${n}</div><p>$${p}</p></div>`],
    ["above reviews", (n, p) => `<div class="c"><a href="#">${n}</a><div>4.5 (120 reviews)</div><p>$${p}</p></div>`],
    [
      "below a category",
      (n, p) => `<div class="c"><span>Shoes</span><b class="productName">${n}</b><p>$${p}</p></div>`,
    ],
  ])("%s", (_, card) => {
    expect(offersOf(row(card))).toBe(ONCE);
  });

  test.each<[what: string, body: string, offers: string]>([
    [
      "long, of a product",
      `<div class="c"><h4>Acme laptop 13-inch with bright display, 16 GB and 512 GB of space, grey</h4><b>$999</b></div>`,
      "Acme laptop 13-inch with bright display, 16 GB and 512 GB of space, grey: $999 once",
    ],
    [
      "in the column whose head says so",
      `<table><tr><th>Category</th><th>Product</th><th>Price</th></tr><tr><td>Shoes</td><td>Runner</td><td>$90</td></tr><tr><td>Shoes</td><td>Walker</td><td>$80</td></tr></table>`,
      "Runner: $90 once; Walker: $80 once",
    ],
    [
      "of rows with several kinds of price",
      `<table><tr><th>Domain</th><th>Register</th><th>Renew</th></tr><tr><td>.com</td><td>$9</td><td>$12</td></tr><tr><td>.net</td><td>$11</td><td>$14</td></tr></table>`,
      ".com: $9 once; .net: $11 once",
    ],
    [
      "Free, Monthly and Yearly",
      `<div><div class="c"><div><p>Free</p><p>Try it all</p></div><div><b>$0</b></div></div><div class="c"><div><p>Monthly</p><p>For regular users</p></div><div><b>$9</b> per month</div></div></div>`,
      "Free: free; Monthly: $9 a month",
    ],
    [
      "Custom, above a way to ask",
      `<div><div class="c"><h3>Pro</h3><p>$29/mo</p></div><div class="c"><h3>Custom</h3><p>Let's talk</p></div></div>`,
      "Pro: $29 a month; Custom: none",
    ],
    [
      "above whom it is for and beside a second price",
      `<div><div class="c"><h3>SUV</h3><p>For families</p><div>$120</div><p>Hourly rates from $140/hr</p></div></div>`,
      "SUV: $120 once",
    ],
    [
      "a line, and not the heading of what is included",
      row((n, p) => `<div class="c"><p>${n}</p><p>$${p}</p><h1>What’s included:</h1><p>All of it</p></div>`),
      ONCE,
    ],
    [
      "not how it is paid",
      `<div><div class="c"><h2>System</h2><p>One Time Payment</p><p>$790</p></div></div>`,
      "System: $790 once",
    ],
    [
      "only a badge",
      row(
        (n, p) =>
          `<div class="c"><div class="badge">${n === "Pro" ? "Popular" : n}</div><div>📦</div><p>$${p}</p></div>`,
      ),
      "Basic: $9 once; Popular: $29 once; Business: $99 once",
    ],
    [
      "numbered, with the price in its heading",
      `<div><h3>1. Landing page ($20 - $50)</h3><p>Clean and fast websites.</p></div>`,
      "1. Landing page: from $20 once",
    ],
  ])("%s", (_, body, offers) => {
    expect(offersOf(body)).toBe(offers);
  });
});

describe("amounts that are no prices", () => {
  const shop = `<div class="c"><h3>Basic</h3><p>$9/mo</p></div>`;
  test.each<[what: string, body: string]>([
    [
      "what a business has earned",
      `<div><h4>Total Revenue</h4><b>$54,239</b></div><div><h4>Net Profit</h4><b>$9,200</b></div><div class="item"><h5>Laptop</h5><b>$8,920</b></div>`,
    ],
    ["a bill", `<h2>Invoice #12</h2><div class="item"><h5>Laptop</h5><b>$8,920</b></div>`],
    ["an order", `<div class="item"><h5>Recent activity</h5><p>Order #12345 - $234.00</p></div>`],
    ["a movement of money", `<ul><li><h6>Send money</h6><div><b>+82.6</b> <span>USD</span></div></li></ul>`],
    [
      "what a visitor sets",
      `<div><h4>Visits a month</h4><b>$3,000</b><input type="range" min="100" max="9000" value="3000"></div>`,
    ],
    ["an input's addon", `<div><h4>Addons</h4><div class="input-group"><span>$0.00</span><input></div></div>`],
    ["a year before an amount that is cut", `<div><h5>Growth</h5><p>2022 $32.5k</p></div>`],
    [
      "sales of applications",
      `<table><tr><th>Application</th><th>Sales</th><th>Avg price</th><th>Totals</th></tr><tr><td>Photos</td><td>26,421</td><td>$35</td><td>$18,785</td></tr></table>`,
    ],
    ["the price in a sentence", `<div><h4>Followed by the price of <b>$19.99</b> after that</h4></div>`],
    ["how a balance has changed", `<div><h4>Voucher</h4><p>Increased by 5%</p><b>$45.78</b></div>`],
    ["tax", `<div><h5>Tax (9.3%)</h5><b>$10.34</b></div>`],
  ])("%s", (_, body) => {
    expect(offersOf(shop + body)).toBe("Basic: $9 a month");
  });

  test("on a page about what is earned, what is sold by the month, from a list of prices or with a button is offered", () => {
    const earned = `<div><h4>Total Revenue</h4><b>$54,239</b></div><div><h4>Net Profit</h4><b>$9,200</b></div>`;
    const list = `<table><tr><th>Product</th><th>Price</th></tr><tr><td>Sofa</td><td>$85</td></tr></table>`;
    const bought = `<div class="item"><h5>Lamp</h5><b>$19</b><button>Add to cart</button></div>`;
    expect(offersOf(`${earned}${shop}${list}${bought}`)).toBe("Basic: $9 a month; Sofa: $85 once; Lamp: $19 once");
  });

  test("a section that says how to write to a company is no plan", () => {
    const about = `<div class="c"><h3>Contact Info</h3><p>Please contact us.</p></div>`;
    expect(offersOf(`<div>${shop}${about}</div>`)).toBe("Basic: $9 a month");
  });
});

describe("how amounts are written", () => {
  test.each<[written: string, read: string]>([
    ["$0.029 per request", "$0.03 per request once"],
    ["Rs 900/- per month", "₹900 a month"],
    ["900 руб./мес", "RUB 900 a month"],
    ["9 000 FCFA", "F CFA 9,000 once"],
    ["KES 900 pm", "KES 900 a month"],
    ["2329 TL", "TRY 2,329 once"],
    ["$90 / night", "$90 a day"],
    ["$90 / per person", "$90 per person once"],
  ])("%s", (written, read) => {
    const spaced = offersOf(`<div class="c"><h3>Basic</h3><p>${written}</p></div>`).replace(/[\u00a0\u202f]/g, " ");
    expect(spaced).toBe(`Basic: ${read}`);
  });

  test("without any currency, where a period follows and no price of the page has one", () => {
    const bare = row((n, p) => `<div class="c"><h3>${n}</h3><b>${p}</b><span> / month</span></div>`);
    expect(offersOf(bare)).toBe("Basic: 9 a month; Pro: 29 a month; Business: 99 a month");
    expect(offersOf(`<div class="c"><h3>Website</h3><p>500/mo</p></div>`)).toBe("");
    expect(offersOf(`${bare}<div class="d"><h3>Max</h3><b>$199</b></div>`)).toBe("Max: $199 once");
  });

  test("what is done daily is not paid daily", () => {
    expect(offersOf(row((n, p) => `<div class="c"><h3>${n}</h3><p>$${p}</p><p>Daily backups</p></div>`))).toBe(ONCE);
  });

  test("a plan called Pro below its price is no period", () => {
    expect(offersOf(row((n, p) => `<div class="c"><p>$${p}/mo</p><p>${n}</p><p>some words</p></div>`))).toBe(MONTHLY);
  });
});
