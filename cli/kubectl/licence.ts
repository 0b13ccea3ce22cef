import { usageIn } from "../../lib/quota/accounts.ts";
import { EXIT } from "../exit-code.ts";
import { licenceDocument, licenceText } from "../licence-text.ts";
import type { Cluster } from "./cluster.ts";

/** `kubectl agentic licence`: the installation's licence, or the community limits, and what of them is in use. @returns the exit code */
export async function licence(cluster: Cluster, { output }: { readonly output: "text" | "json" }): Promise<number> {
  const { reading, standing, accounts } = await cluster.licence();
  const usage = usageIn(accounts);
  process.stdout.write(
    output === "json"
      ? `${JSON.stringify(licenceDocument(reading, standing, usage), null, 2)}\n`
      : licenceText(reading, standing, usage),
  );
  return EXIT.succeeded;
}
