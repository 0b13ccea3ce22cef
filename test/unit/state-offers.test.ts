import { expect, test } from "vitest";
import { USUAL_SIGNS } from "../../functions/analyze/extract/money.ts";
import { offersOfStates } from "../../functions/analyze/extract/state-offers.ts";

test("what pressing did not change is no new offer, though it is read otherwise then", () => {
  const html =
    "<body><section><h3>Crew</h3><p>$99 per month</p></section><section><h3>Ghost</h3><p>$5 per month</p></section></body>";
  const cite = (text: string) => ({
    text,
    screenshot: "s",
    url: "https://acme.example/",
    at: "2026-11-20T10:00:00.000Z",
  });
  const told = [{ label: "For teams", lines: ["Crew", "$99 per month"] }];
  const found = offersOfStates([{ label: "For teams", html }], [], { told, shared: USUAL_SIGNS, site: "Acme", cite });
  expect(found.map(({ name, evidence }) => [name, evidence.pressed])).toEqual([["Crew", "For teams"]]);
});
