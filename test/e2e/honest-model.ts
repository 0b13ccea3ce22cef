import { type ChatRequest, type FakeAnswer, saidIn } from "../fakes/openai.ts";

/** What a model that has read the question says: nothing beyond what was extracted, and a report that cites the sites. */
export function honest(request: ChatRequest): FakeAnswer & object {
  if (!saidIn(request).includes("market strategist"))
    return { content: { positioning: null, audience: [], offers: [], callsToAction: [], proof: [], layout: [] } };
  const cited = /"id":"([^"]+)"/.exec(saidIn(request).replaceAll("\\", ""))?.[1];
  return {
    content: {
      answer: "Price below the middle of the field.",
      recommendation: "Start free.",
      claims: [{ title: "Most have a free tier", text: "They do.", sites: [cited] }],
    },
  };
}
