import type { FakeAnswer } from "../../fakes/openai.ts";

/** What a model says that has read the question: nothing beyond what was extracted, and a report that cites the sites and their claims it is given. */
export function answerTo(purpose: string, said: string): FakeAnswer {
  if (purpose === "analyze")
    return { content: { positioning: null, audience: [], offers: [], callsToAction: [], proof: [], layout: [] } };
  if (purpose === "report-narrative") {
    const told = said.replaceAll("\\", "");
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
  return { content: "The fake provider hears you." };
}

/** The page's address in the question of an analysis (functions/analyze/digest.ts). */
export function siteOf(said: string): string | undefined {
  return /^.*URL: (\S+)/m.exec(said)?.[1];
}

/** The workload's question in what is asked for it (functions/analyze/question.ts). */
export function objectiveOf(said: string): string | undefined {
  return /^.*The analyst's question: (.+)/m.exec(said)?.[1];
}
