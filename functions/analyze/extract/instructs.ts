/** What is said to a model and not to a visitor, wherever it stands in the markup. Each is bounded: a page can repeat anything. */
const WORDS = String.raw`(?:\S{1,30}\s+){0,5}`;
const MODEL = `(?:ai|llm|gpt|chatgpt|claude|gemini|(?:large )?language model|ai model|ai agent|assistant|chatbot)s?`;
const PATTERNS: readonly RegExp[] = [
  // Forget what you were told.
  `\\b(?:ignore|disregard|forget|override|bypass)\\s+(?:\\S{1,30}\\s+){0,3}(?:all|any|every|your|previous|prior|above|earlier|preceding)\\s+${WORDS}(?:instructions?|prompts?|directives?|guidelines|programming|rules)\\b`,
  `\\b(?:ignore|disregard|forget)\\s+(?:all|everything|anything)\\s+(?:above|before|you\\b)`,
  `\\b(?:ignorier|vergiss|missachte)\\p{L}*\\s+${WORDS}(?:anweisung|instruktion|regel|prompt)`,
  `\\b(?:ignore[zr]?|oublie[zr]?)\\s+(?:toutes?\\s+)?(?:les|vos|tes|ces)\\s+${WORDS}(?:consignes|règles|instructions)`,
  `\\b(?:ignora|olvida|esqueça)\\p{L}*\\s+${WORDS}(?:instrucciones|reglas|instruções|istruzioni)`,
  // Be somebody else.
  `\\b(?:you are|act as|pretend to be|behave as|roleplay as|du bist|tu es|eres)\\s+(?:now |jetzt |ahora )?(?:an? |ein |une? |un )?${MODEL}\\b`,
  String.raw`\b(?:from now on|starting now),?\s+(?:you\b|respond\b|answer\b|always\b)`,
  String.raw`\b(?:developer|debug|dan|god|maintenance) mode (?:is )?(?:on|enabled|activated)\b`,
  String.raw`\b(?:system|developer) (?:prompt|override|message)\b`,
  String.raw`\b(?:new|updated|revised|additional) instructions?\s*:`,
  // The markup of chats.
  String.raw`<\|(?:im_start|im_end|system|assistant|endoftext)\|>|\[/?INST\]|<</?SYS>>|###\s*(?:system|instructions?|assistant)\b`,
  String.raw`(?:^|[\n>"'])\s*(?:system|assistant|developer)\s*:\s*(?:you|ignore|please|do\b|do not|always|never|from|the user)`,
  // To whoever reads by machine.
  `\\b(?:notes?|messages?|instructions?|attention|important|hinweis)\\b,?\\s*(?:for|to|an)?\\s*(?:the |all |any |die |eine )?${MODEL}\\s*[:,!]`,
  `\\b(?:if|when)\\s+you(?:'re| are)\\s+(?:an? |the )?${MODEL}\\b`,
  `\\b${MODEL}\\s+(?:that (?:is|are) |which is |currently )?(?:reading|processing|analy[sz]ing|summari[sz]ing|crawling|scanning|visiting)\\s+(?:this|the)\\b`,
  String.raw`\b(?:in|for) your (?:summary|analysis|report|answer|response|output|review|findings),?\s+(?:say|state|write|include|rate|recommend|describe|mention|conclude|claim|report|give)\b`,
  // What to do, and to hide.
  String.raw`\b(?:respond|reply|answer|output)\s+(?:only|exactly|solely)\s+(?:with\b|by\b|in\b)`,
  String.raw`\b(?:reveal|print|repeat|output|disclose|show|leak)\s+(?:me )?(?:your|the)\s+(?:system |initial |hidden |full |entire )?(?:prompt|instructions)\b`,
  String.raw`\b(?:send|post|append|exfiltrate|leak|forward|include)\s+(?:\S{1,30}\s+){0,6}(?:api keys?|chat history|conversation|credentials|your prompt|your instructions)\b`,
  String.raw`\bdo not (?:mention|tell|reveal|disclose|report)\s+(?:\S{1,30}\s+){0,6}(?:user|reader|analyst|human|operator)\b`,
].map((source) => new RegExp(source, "iu"));

/** Cyrillic and Greek letters that look like Latin ones. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  а: "a",
  е: "e",
  о: "o",
  р: "p",
  с: "c",
  у: "y",
  х: "x",
  і: "i",
  ј: "j",
  ѕ: "s",
  ԁ: "d",
  һ: "h",
  ɡ: "g",
  ο: "o",
  α: "a",
  ι: "i",
  ν: "v",
  ρ: "p",
};
const LOOKALIKE = new RegExp(`[${Object.keys(LOOKALIKES).join("")}]`, "gu");
/** Characters that no font shows, soft hyphens included. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
/** Unicode's tag characters: ASCII that no font shows. */
const TAGS = /[\u{e0020}-\u{e007e}]/gu;
const ENTITY = /&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/gi;
const INLINE =
  /<\/?(?:a|abbr|b|bdi|bdo|cite|code|em|font|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]{0,300})?>/gi;
const TAG = /<\/?[a-z][^<>]{0,300}>/gi;

/** Whether a page's markup, what it hides included, speaks to a model that reads it. @param html bounded by its reader */
export function instructsModel(html: string): boolean {
  const plain = plainly(html);
  // Words may be cut by some tags, and be apart by others alone.
  const readings = [plain, plain.replace(INLINE, "").replace(TAG, " ")].map(singleSpaced);
  return readings.some((text) => PATTERNS.some((pattern) => pattern.test(text)));
}

/** A run of space is one character to the patterns, or their time grows with the square of its length. */
function singleSpaced(text: string): string {
  return text.replace(/\s+/g, (space) => (space.includes("\n") ? "\n" : " "));
}

function plainly(html: string): string {
  return html
    .replace(ENTITY, (whole, hex: string | undefined, decimal: string | undefined) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    })
    .replaceAll(/&nbsp;/gi, " ")
    .replace(TAGS, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) - 0xe0000))
    .replace(INVISIBLE, "")
    .normalize("NFKC")
    .replace(LOOKALIKE, (letter) => LOOKALIKES[letter] ?? letter);
}
