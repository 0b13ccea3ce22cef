import { trace } from "@opentelemetry/api";
import { maskSecrets } from "../secrets.ts";
import type { Message, Part } from "./prompt.ts";

/** Characters of a text that a span gets; a question has at most four. */
const MAX_TEXT = 10_000;

/** Notes on the span of the call under way what is asked: without keys, people's addresses and numbers, and pictures. */
export function noteInput(messages: readonly Message[]): Promise<void> {
  return note("gen_ai.input.messages", messages);
}

/** Likewise what was answered. */
export function noteOutput(answer: string): Promise<void> {
  return note("gen_ai.output.messages", [{ role: "assistant", content: answer }]);
}

/** In the form of OpenTelemetry's conventions for generative AI. */
async function note(attribute: string, messages: readonly Message[]): Promise<void> {
  const span = trace.getActiveSpan();
  if (!span?.isRecording()) return;
  // Loaded when it is needed: its table of countries would slow each start.
  const { maskPersonalData } = await import("../personal-data.ts");
  const textOf = (part: Part): string => {
    if (part.type === "image_url") return "[picture]";
    // Twice as much, so that nothing that is masked is cut in two; and no more, since a page may be of any length.
    return maskPersonalData(maskSecrets(part.text.slice(0, 2 * MAX_TEXT))).slice(0, MAX_TEXT);
  };
  const said = messages.map(({ role, content }) => ({
    role,
    parts: (typeof content === "string" ? [{ type: "text", text: content } as const] : content).map((part) => ({
      type: "text",
      content: textOf(part),
    })),
  }));
  span.setAttribute(attribute, JSON.stringify(said));
}
