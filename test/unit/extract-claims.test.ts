import { describe, expect, test } from "vitest";
import { extract } from "../../functions/analyze/extract/extract.ts";
import { pageNames } from "../../functions/analyze/extract/positioning.ts";

// What a page claims, of whom, and what it shows for it.

const extracted = (body: string, title = "Acme – Shifts") =>
  extract({
    html: `<!DOCTYPE html><html><head></head><body>${body}</body></html>`,
    url: "https://acme.example/",
    title,
    description: "A description",
    screenshot: "u/s.png",
    at: "2026-11-20T10:00:00.000Z",
  });
const proofOf = (body: string): string[] => extracted(body).proof.map(({ kind, value }) => `${kind}: ${value}`);
const at = (y: number, height: number) => `data-agentic-box="100 ${y} 400 ${height}"`;

describe("proof", () => {
  test.each<[string, string, string[]]>([
    [
      "words in quotation marks",
      "<p>“It saved our Sundays, every single one of them.”</p>",
      ["testimonial: “It saved our Sundays, every single one of them.”"],
    ],
    [
      "words that a name signs",
      "<div><p>It saved our Sundays, every single one of them.</p><p>- Ada Lovelace, London</p></div>",
      ["testimonial: It saved our Sundays, every single one of them."],
    ],
    [
      "words that nobody signs",
      "<div><p>It saved our Sundays, every single one of them.</p><p>Since 2019</p></div>",
      [],
    ],
    [
      "figures above their labels",
      "<div><div><h3>230</h3><p>Projects done</p></div><div><h3>15k+</h3><p>Happy people</p></div></div>",
      ["metric: 230 Projects done", "metric: 15k+ Happy people"],
    ],
    [
      "figures below their labels",
      "<div><div><p>Projects done</p><h3>230</h3></div><div><p>Happy guests</p><h3>99%</h3></div></div>",
      ["metric: 230 Projects done", "metric: 99% Happy guests"],
    ],
    [
      "figures in parts, with what explains them",
      "<div><div><h1><span>70</span>+</h1><h5>Coded parts</h5><p>From buttons to bars, and whatever a page of yours is made of.</p></div><div><h1><span>24/7</span></h1><h5>Support</h5></div></div>",
      ["metric: 70+ Coded parts", "metric: 24/7 Support"],
    ],
    [
      "a card that is marked up as a quote",
      "<blockquote><h4>Top services</h4><p>The ocean freezes every winter.</p></blockquote>",
      [],
    ],
    ["one figure, of anything", "<div><h3>230</h3><p>Projects done</p></div>", []],
    ["time that runs down", "<div><div><h3>14</h3><p>Days</p></div><div><h3>20</h3><p>Hours</p></div></div>", []],
    [
      "figures of a table",
      "<table><tr><td>16</td><td>Components</td></tr><tr><td>3</td><td>Plugins</td></tr></table>",
      [],
    ],
    ["a limit of a plan", "<ul><li>5 users</li></ul>", []],
    ["who uses it", "<p>Used by 22,000+ developers</p>", ["metric: Used by 22,000+ developers"]],
    ["stars and reviews", "<span>★★★★ 4.6 · 248 reviews</span>", ["rating: 4.6 · 248 reviews"]],
    ["a rating by its class", '<div class="rating"><span>4.9 (42)</span></div>', ["rating: 4.9 (42)"]],
    ["a version and a number", "<p>v4.9 (42)</p>", []],
    [
      "names below who trusts it",
      "<section><h2>Trusted by</h2><div><span>Foodly</span><span>Barly</span><img alt='Hotelly logo'></div></section>",
      ["customer: Hotelly", "customer: Foodly", "customer: Barly"],
    ],
    [
      "several logos",
      "<div><img alt='Foodly Logo'><img alt='Barly Logo'><img alt='Hotelly Logo'></div>",
      ["customer: Foodly", "customer: Barly", "customer: Hotelly"],
    ],
    [
      "a row of logos by their files' names",
      ["foodly", "barly-gray", "hotelly"]
        .map((name) => `<img alt="logo" src="/img/logos/logo-${name}.svg" ${at(900, 40)}>`)
        .join(""),
      ["customer: foodly", "customer: barly", "customer: hotelly"],
    ],
    [
      "logos that label buttons, rows of a table, or stand apart",
      ["a", "b", "c"]
        .map(
          (name, row) =>
            `<button><img src="/logos/${name}y.svg" ${at(900, 40)}></button><img src="/logos/${name}x.svg" ${at(row * 300, 40)}>`,
        )
        .join(""),
      [],
    ],
    ["the site's own logo", "<img alt='Acme logo'>", []],
  ])("%s", (_what, body, expected) => {
    expect(proofOf(body)).toEqual(expected);
  });
});

test("a heading in quotation marks is said by somebody", () => {
  expect(proofOf("<h3>“What a company!”</h3><h3>What a company</h3>")).toEqual(["testimonial: “What a company!”"]);
});

describe("positioning", () => {
  test.each([
    ["Acme – Plans that last", "Acme", ["Acme"]],
    ["Elements – Acme", "Acme", ["Acme", "Elements"]],
    ["Elements by Somebody", "Acme", ["Acme", "Elements", "Somebody"]],
  ])("the title %j names the page by what stands before its brand", (title, brand, names) => {
    expect(pageNames(title, brand)).toEqual(names);
  });

  test.each<[string, string, string | undefined]>([
    ["the first heading", "<h1>Shifts that plan themselves</h1>", "Shifts that plan themselves"],
    [
      "below a heading that is the brand",
      "<h1>Acme</h1><p>The roster that writes itself, every week.</p>",
      "The roster that writes itself, every week.",
    ],
    [
      "below a heading that names the page",
      "<div><h1>Pricing</h1><p>Pay for what you plan, and nothing else.</p></div>",
      "Pay for what you plan, and nothing else.",
    ],
    ["nothing, where nothing is claimed there", "<h1>Pricing</h1><ul><li>A</li></ul>", undefined],
    ["no price", "<h1>$29</h1><h2>Plans for every size of team</h2>", "Plans for every size of team"],
    [
      "the largest words of the first screen",
      `<div class="masthead"><div ${at(200, 20)}>Welcome to our studio</div><div ${at(240, 80)}>It’s nice to meet you</div></div><h2 ${at(900, 40)}>Services</h2>`,
      "It’s nice to meet you",
    ],
    [
      "below a brand that its version follows",
      "<div><h1>Acme 2</h1><h4>Rosters that write themselves</h4></div>",
      "Rosters that write themselves",
    ],
    [
      "apart from a brand in a column of its own",
      `<div><div><div><h1 ${at(20, 30)}>Acme</h1></div></div></div><p ${at(60, 40)}>The roster that writes itself, every week.</p>`,
      "The roster that writes itself, every week.",
    ],
    [
      "nothing, where a form's heading is its button",
      "<h1>Join Acme today</h1><button>Join Acme today</button>",
      undefined,
    ],
    ["nothing, where the menu says the same", "<nav><a>Rates of Acme</a></nav><h1>Rates of Acme</h1>", undefined],
    [
      "nothing, where a small heading names a form",
      `<section><div><div><h4 ${at(90, 20)}>Our newsletters for you</h4></div></div><input></section>`,
      undefined,
    ],
    [
      "a small heading, where there is no other",
      `<h4 ${at(90, 20)}>Rosters that write themselves</h4>`,
      "Rosters that write themselves",
    ],
    [
      "words of the first screen, where there is no heading",
      `<div ${at(90, 20)}>We are back before you miss us</div>`,
      "We are back before you miss us",
    ],
    [
      "no list of links",
      "<div><h1>Acme</h1><p><a>Documentation</a> | <a>The first demo</a></p><p>The roster that writes itself, every week.</p></div>",
      "The roster that writes itself, every week.",
    ],
    [
      "no button",
      `<div class="hero"><a href="/x" data-agentic-style="filled" data-agentic-box="9 200 90 60 20">Download on Acme</a></div><h2 ${at(300, 40)}>Plans that last</h2>`,
      "Plans that last",
    ],
    ["the description", "<p>x</p>", "A description"],
  ])("%s", (_what, body, expected) => {
    expect(extracted(body).positioning?.value).toBe(expected);
  });
});

describe("audience", () => {
  test.each<[string, string[]]>([
    ["Built for restaurants and small hotels.", ["restaurants and small hotels"]],
    ["For growing teams that need more power and reporting.", ["growing teams that need more power and reporting"]],
    ["Made for engineers who want to ship: faster.", ["engineers who want to ship"]],
    ["For more of it, ask us.", []],
  ])("%s", (said, expected) => {
    expect(extracted(`<div>${said}</div>`).audience.map(({ value }) => value)).toEqual(expected);
  });
});
