import { describe, expect, test } from "vitest";
import { extract } from "../../functions/analyze/extract/extract.ts";

// Calls to action by how controls are drawn: marks as scrape writes them (docs/adr/0045).

function actionsOf(body: string) {
  return extract({
    html: `<!DOCTYPE html><html><head></head><body>${body}</body></html>`,
    url: "https://acme.example/",
    title: "Acme",
    description: "",
    screenshot: "u/s.png",
    at: "2026-11-20T10:00:00.000Z",
  }).callsToAction;
}
const texts = (body: string): string[] => actionsOf(body).map(({ text }) => text);

interface Drawn {
  readonly look?: string;
  readonly y?: number;
  readonly x?: number;
  readonly height?: number;
  readonly more?: string;
}
/** A link drawn as a button, unless `look` says otherwise. */
const link = (text: string, { look = "filled", x = 100, y = 300, height = 40, more = "" }: Drawn = {}): string =>
  `<a href="/x" ${more} data-agentic-style="${look} pointer" data-agentic-box="${x} ${y} 120 ${height} 16">${text}</a>`;
const button = (text: string, drawn: Drawn = {}): string =>
  link(text, drawn).replace('<a href="/x"', "<button").replace("</a>", "</button>");

describe("what stands out and asks for something", () => {
  test.each<[string, string, string[]]>([
    ["a name of its own, without a class", link("Start Solo"), ["Start Solo"]],
    ["outlined", link("Book a demo", { look: "outlined" }), ["Book a demo"]],
    ["a button of a form", `<form><input type="email">${button("Subscribe")}</form>`, ["Subscribe"]],
    [
      "something else that is clicked",
      link("Try it").replaceAll(/<a href="\/x"|<\/a>/g, (tag) => (tag === "</a>" ? "</div>" : "<div")),
      ["Try it"],
    ],
    ["a link around a button", link(button("Try it")), ["Try it"]],
    ["each text once", link("Buy") + link("BUY", { y: 900 }), ["Buy"]],
    [
      "without its icons, arrows and their names",
      link('<i class="material-icons">shopping_cart</i> Buy now <svg></svg>→'),
      ["Buy now"],
    ],
    [
      "the one button of the header",
      `<nav>${link("Docs", { look: "" })}${link("Blog", { look: "" })}${link("Sign up", { y: 20 })}</nav>`,
      ["Sign up"],
    ],
    [
      "the strongest button of the header",
      `<nav>${link("Ask us", { look: "outlined", y: 20 })}${link("Star us", { look: "outlined", y: 20 })}${link("Sign up", { y: 20 })}</nav>`,
      ["Sign up"],
    ],
    [
      "what names a place, as a button of the hero",
      `<div>${link("Download")}${link("Docs")}</div>`,
      ["Download", "Docs"],
    ],
    [
      "a menu of the hero that is a row of buttons",
      `<nav>${link("Try it")}${link("API")}${link("Get it")}</nav>`,
      ["Try it", "API", "Get it"],
    ],
    ["code's host by itself", link("GitHub"), ["GitHub"]],
    [
      "a button among other links of a row",
      `<div>${link("Start", { more: 'class="btn"' })}${link("Why us", { look: "" })}${link("How so", { look: "" })}</div>`,
      ["Start"],
    ],
    [
      "an arrow beside the hero's button",
      `<div>${link("Start")}${link("See how →", { look: "", x: 300 })}</div>`,
      ["Start", "See how"],
    ],
    [
      "badges of stores, which are pictures",
      link('<img src="google-play-badge.svg" alt="...">', { look: "" }),
      ["Get it on Google Play"],
    ],
  ])("%s", (_what, body, expected) => {
    expect(texts(body)).toEqual(expected);
  });
});

describe("what does not", () => {
  test.each<[string, string]>([
    ["a plain link", link("Start Solo", { look: "" })],
    [
      "an arrow further down",
      `<div>${link("Buy", { y: 1_000, more: "disabled" })}${link("See how →", { look: "", y: 1_000 })}</div>`,
    ],
    ["logging in, also as a button", link("Log in") + button("Sign in")],
    ["logging in by another account", link("Sign in with GitHub") + button("Log in using Google")],
    ["a badge", link("New")],
    [
      "a menu whose links are all drawn as buttons",
      `<nav>${["Ask us", "Join us", "Try us"].map((text) => link(text, { y: 20 })).join("")}</nav>`,
    ],
    ["places", `<header>${link("Docs", { y: 20 })}${button("Cart")}${link("Contact", { y: 900 })}</header>`],
    ["initials of networks", link("FB") + link("IN")],
    ["sharing", link("Share on Facebook") + link("Follow us on Twitter")],
    ["a network to sign up with, and what stands beside it", `<div>${button("Google")}${button("GitHub")}</div>`],
    [
      "tags and filters",
      `<div>${["Red", "Green", "Blue", "Cyan", "Pink", "Grey"].map((text) => link(text)).join("")}</div>`,
    ],
    [
      "options of a product",
      `<div>${["Small", "Medium", "Large"].map((text) => button(text, { look: "outlined" })).join("")}</div>`,
    ],
    [
      "options, of which one is on",
      `<div>${button("Six months", { more: 'class="active"' })}${button("A year")}</div>`,
    ],
    [
      "tabs without roles, of which one is drawn",
      `<div>${button("Description", { look: "outlined" })}${button("Reviews of it", { look: "" })}${button("Details of it", { look: "" })}</div>`,
    ],
    [
      "the open item of a list",
      `<ul><li class="active">${link("Extra pages")}</li><li>${link("More pages", { look: "" })}</li></ul>`,
    ],
    [
      "a tile",
      `<a href="/x" data-agentic-style="outlined pointer" data-agentic-box="0 400 300 90 16"><b data-agentic-box="10 410 200 20">Kanban</b><br><i data-agentic-box="10 450 200 20">Drag and drop</i></a>`,
    ],
    ["a badge", link("New feature", { height: 16 })],
    [
      "what is not drawn",
      '<a href="/x" data-agentic-style="filled pointer">Other slide</a><p data-agentic-box="0 0 10 10">x</p>',
    ],
    [
      "what cannot be pressed",
      button("Current version", { more: "disabled" }) + link("This version", { more: 'class="btn disabled"' }),
    ],
    ["searching", `<form><input type="search">${button("Go!")}</form><div class="top_search">${button("Los!")}</div>`],
    [
      "operating the page",
      ["Next", "Close", "Show more", "Monthly", "Accept all cookies", "Menu"].map((text) => button(text)).join(""),
    ],
    ["networks, phones and addresses", link("Facebook") + link("+1 555 123 456") + link("me@acme.example")],
    ["reading on below a post", link("Read more")],
    ["a menu that unfolds", button("Solutions for all", { more: 'aria-expanded="false"' })],
    ["no words", link("…") + link("42")],
    ["a sentence", link("This is a sentence that leads to a page of another site")],
  ])("%s", (_what, body) => {
    expect(texts(body)).toEqual([]);
  });
});

test("nor do a badge's small words, and buttons of a kit that shows what it has", () => {
  expect(texts(link("New feature").replace("40 16", "40 9"))).toEqual([]);
  expect(
    texts(["Primary", "Outline danger", "Large button", "Link"].map((text) => `<p>${link(text)}</p>`).join("")),
  ).toEqual([]);
});

describe("prominence and place", () => {
  test.each<[string, string, string[]]>([
    [
      "outlined beside filled",
      `<div>${link("Buy")}${link("Ask us", { look: "outlined", x: 300 })}</div>`,
      ["primary", "secondary"],
    ],
    [
      "grey beside a colour",
      `<div>${link("Buy")}${link("Ask us", { look: "tinted", x: 300 })}</div>`,
      ["primary", "secondary"],
    ],
    [
      "outlined in the card beside",
      `<div><div>${link("Ask us", { look: "outlined" })}</div><div>${link("Buy", { x: 500, y: 310 })}</div></div>`,
      ["secondary", "primary"],
    ],
    ["outlined, alone", link("Ask us", { look: "outlined" }), ["primary"]],
    ["all alike", `<div>${link("Buy")}${link("Ask us", { x: 300 })}</div>`, ["primary", "primary"]],
    ["reading more", link("Learn more"), ["secondary"]],
    ["a place to read", link("Examples"), ["secondary"]],
    ["a question that it answers", link("What is Acme?"), ["secondary"]],
    ["far from a stronger one", link("Buy") + link("Ask us", { look: "outlined", y: 2_000 }), ["primary", "primary"]],
    [
      "in both ways",
      `<div>${link("Ask us", { look: "outlined" })}${link("Buy", { x: 300 })}</div>${link("Ask us", { y: 2_000 })}`,
      ["primary", "primary"],
    ],
  ])("%s", (_what, body, expected) => {
    expect(actionsOf(body).map(({ prominence }) => prominence)).toEqual(expected);
  });

  test.each<[string, string, string | undefined]>([
    ["at the top", link("Buy", { y: 20 }), "header"],
    ["in a menu", `<nav>${link("Buy", { y: 300 })}</nav>`, "header"],
    ["on the first screen", link("Buy"), "hero"],
    ["below", link("Buy", { y: 900 }), "body"],
    ["in the footer", `<footer>${link("Buy", { y: 300 })}</footer>`, "footer"],
    ["without marks", '<a class="btn" href="/x">Buy</a>', undefined],
  ])("%s", (_what, body, place) => {
    expect(actionsOf(body).map((action) => action.place)).toEqual([place]);
  });
});
