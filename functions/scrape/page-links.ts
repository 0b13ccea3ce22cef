import { LINK_LIMITS, type PageLinks, readLinks } from "./in-page-links.ts";
import type { Tab } from "./tab.ts";

/** The page's links, read in a world of their own: its scripts decide on no limit. */
export async function readPageLinks({ session }: Pick<Tab, "session">): Promise<PageLinks> {
  // Of a page, the id of its main frame. To ask for all frames takes long where they do not end.
  const { targetInfo } = await session.send("Target.getTargetInfo");
  const world = await session.send("Page.createIsolatedWorld", { frameId: targetInfo.targetId, worldName: "agentic" });
  const { result, exceptionDetails } = await session.send("Runtime.callFunctionOn", {
    functionDeclaration: readLinks.toString(),
    executionContextId: world.executionContextId,
    arguments: [{ value: LINK_LIMITS }],
    returnByValue: true,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value as PageLinks;
}
