import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

const FROM = { secretRef: { name: "agentic-langfuse", optional: true } };
type Found = [string, readonly unknown[]];

/** A Knative Service, or an Agent. */
interface Installed {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly envFrom?: readonly unknown[];
    readonly template?: {
      readonly spec: { readonly containers: readonly { readonly envFrom?: readonly unknown[] }[] };
    };
  };
}

/** Where the Secret's keys go: everything in the file that has an `envFrom`, by name. */
function envFromIn(file: string): Found[] {
  return parseAllDocuments(readFileSync(file, "utf8")).flatMap((document) => {
    const { metadata, spec } = document.toJS() as Installed;
    return [[metadata.name, spec.template?.spec.containers[0]?.envFrom ?? spec.envFrom ?? []]];
  });
}

test("Langfuse's keys go to reconcile and to the shared agents, where there are any, and to nobody else", () => {
  const all = [...envFromIn("eventing/functions.yaml"), ...envFromIn("pipelines/market-analysis/agents.yaml")];
  const named = all.filter(([, envFrom]) => JSON.stringify(envFrom).includes("agentic-langfuse"));
  expect(named.map(([name]) => name)).toEqual(["reconcile", "scrape", "analyze", "report"]);
  // Without the prefix AGENT_, which hands settings on to agents of all namespaces.
  for (const [, envFrom] of named) expect(envFrom).toContainEqual(FROM);
});
