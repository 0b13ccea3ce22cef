import type { Capture } from "../../pipelines/market-analysis/capture.ts";

/**
 * Of a site with five pages two are asked about: the named one with its picture, and the one with prices as text. Rules read the others,
 * which keeps a site below a tenth of a cent. Prices that only a picture shows are read from it.
 */
export function questionAbout(
  { kind = "home" }: Pick<Capture, "kind">,
  isPictured: boolean,
): "none" | "text" | "text and picture" {
  if (kind === "home") return "text and picture";
  if (kind !== "pricing") return "none";
  return isPictured ? "text and picture" : "text";
}
