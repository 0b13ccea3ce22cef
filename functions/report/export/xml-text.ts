/** Characters that no XML 1.0 document may have, and halves of such that take two. The libraries write them as they are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

export const xmlText = (text: string): string => text.toWellFormed().replace(FORBIDDEN, "");
