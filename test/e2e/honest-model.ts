import { type ChatRequest, type FakeAnswer, saidIn } from "../fakes/openai.ts";

/** What a model that has read the question says: nothing beyond what was extracted, and a report that cites the sites and their claims. */
export function honest(request: ChatRequest): FakeAnswer & object {
  if (!saidIn(request).includes("market strategist"))
    return { content: { positioning: null, audience: [], offers: [], callsToAction: [], proof: [], layout: [] } };
  const told = saidIn(request).replaceAll("\\", "");
  const cited = /"id":"([^"]+)"/.exec(told)?.[1];
  const claim = /"(c\d+)":/.exec(told)?.[1];
  return {
    content: {
      answer: `Price below the middle of the field [${claim}].`,
      recommendation: `Start free [${claim}].`,
      claims: [{ title: "Most have a free tier", text: "They do.", sites: [cited], claims: [claim] }],
    },
  };
}
