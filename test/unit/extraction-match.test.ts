import { describe, expect, it } from "vitest";
import { fold, isSaidBy, isSame } from "../../bench/extraction/match.ts";

describe("fold", () => {
  it.each([
    ["  Sign-up \n now → ", "sign up now"],
    ["“Don’t wait!”", "dont wait"],
    ["Ab 9,90 €", "ab 9 90 €"],
    ["55+ PAGES", "55+ pages"],
    ["20 % günstiger", "20 % günstiger"],
    ["無料で始める", "無料で始める"],
    ["ﬁnd out more", "find out more"],
    ["→", ""],
  ])("%j is %j", (text, folded) => expect(fold(text)).toBe(folded));
});

describe("isSame", () => {
  it("takes no account of case, marks and white space", () =>
    expect(isSame("GET  STARTED!", "Get started →")).toBe(true));
  it("is not content with a part", () => expect(isSame("Download", "Download now")).toBe(false));
  it("tells amounts apart", () => expect(isSame("$9", "$90")).toBe(false));
});

describe("isSaidBy", () => {
  const quote = "This is fantastic! Thanks so much guys! You rock.";
  it.each([
    ["its first sentence and a half", "This is fantastic! Thanks so much"],
    ["the quote with its author", `"${quote}" Margaret E.`],
    ["one word more", "This is really fantastic! Thanks so much guys! You rock."],
  ])("finds a quote by %s", (_, found) => expect(isSaidBy(quote, found)).toBe(true));

  it.each([
    ["three of its words", "This is fantastic"],
    ["another quote that begins alike", "This is fantastic, and it has saved us weeks of work on our site"],
    ["nothing", ""],
  ])("does not find it by %s", (_, found) => expect(isSaidBy(quote, found)).toBe(false));

  it("finds a name by the same name alone", () => {
    expect(isSaidBy("IBM", "ibm")).toBe(true);
    expect(isSaidBy("IBM", "Trusted by IBM and others")).toBe(false);
  });
  it("does not find words within words", () =>
    expect(isSaidBy("it is the art", "we think that it is the artist who counts")).toBe(false));
});
