/** Writes crd/agentworkload.yaml and docs/reference/agentworkload.md from the schema; --check only says whether they are up to date. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { z } from "zod";
import { agentWorkloadSchema } from "./agentworkload.ts";
import { type Extensions, type StructuralSchema, toStructural } from "./structural.ts";

/** What the API server itself checks beyond types: CEL, and lists that are sets. */
const EXTENSIONS: Extensions = {
  "spec.sites": { "x-kubernetes-list-type": "set" },
  "spec.sites[]": {
    "x-kubernetes-validations": [
      {
        rule: "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",
        message: "must be a URL that starts with http:// or https://",
      },
      { rule: "!self.matches('^[a-zA-Z]+://[^/?#]*@')", message: "must not carry a user name or password" },
    ],
  },
  "spec.tolerate.failedSites": {
    "x-kubernetes-validations": [
      {
        rule: "type(self) == string ? self.matches('^([0-9]|[1-9][0-9]|100)%$') : (self >= 0 && self <= 500)",
        message: 'must be a number from 0 to 500 or a percentage such as "20%"',
      },
    ],
  },
  "spec.model.fallbacks": { "x-kubernetes-list-type": "atomic" },
  "spec.egress.allow": { "x-kubernetes-list-type": "set" },
  "status.conditions": { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] },
};

const schema = z.toJSONSchema(agentWorkloadSchema, { io: "input", reused: "inline", unrepresentable: "any" });
const properties = schema.properties as Record<string, Record<string, unknown>>;
const spec = toStructural(properties["spec"] ?? {}, EXTENSIONS, "spec");
const status = toStructural(properties["status"] ?? {}, EXTENSIONS, "status");

const crd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "agentworkloads.agentic.dev" },
  spec: {
    group: "agentic.dev",
    names: {
      kind: "AgentWorkload",
      listKind: "AgentWorkloadList",
      plural: "agentworkloads",
      singular: "agentworkload",
      shortNames: ["aw"],
      categories: ["agentic"],
    },
    scope: "Namespaced",
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: "Phase", type: "string", jsonPath: ".status.phase" },
          { name: "Sites", type: "string", jsonPath: ".status.sites.progress" },
          { name: "Cost", type: "string", jsonPath: ".status.usage.costUsd" },
          { name: "Review", type: "string", jsonPath: ".status.review.decision" },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "A question, the sites that hold its answer, and how agents may go about it.",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string", description: "agentic.dev/v1alpha1." },
              kind: { type: "string", description: "AgentWorkload." },
              metadata: { type: "object" },
              spec,
              status,
            },
          },
        },
      },
    ],
  },
};

function rows(node: StructuralSchema, path: string, required: boolean): string[] {
  const type = node["x-kubernetes-int-or-string"] ? "integer or string" : (node.type ?? "object");
  const shown =
    node.default !== undefined && JSON.stringify(node.default) !== "{}"
      ? `\`${JSON.stringify(node.default)}\``
      : required
        ? "required"
        : "";
  const own = `| \`${path}\` | ${type} | ${shown} | ${node.description ?? ""} |`;
  const children = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    rows(child, `${path}.${name}`, node.required?.includes(name) ?? false),
  );
  const items = node.items?.properties
    ? Object.entries(node.items.properties).flatMap(([name, child]) =>
        rows(child, `${path}[].${name}`, node.items?.required?.includes(name) ?? false),
      )
    : [];
  return [own, ...children, ...items];
}

const table = (node: StructuralSchema, path: string): string =>
  ["| field | type | default | meaning |", "| --- | --- | --- | --- |", ...rows(node, path, true)].join("\n");

const files: Record<string, string> = {
  "./agentworkload.yaml": `# Generated from crd/agentworkload.ts by 'npm run generate'.\n${stringify(crd, { lineWidth: 120, aliasDuplicateObjects: false })}`,
  "../docs/reference/agentworkload.md": `# AgentWorkload, agentic.dev/v1alpha1

Generated from \`crd/agentworkload.ts\` by \`npm run generate\`. Short name \`aw\`. Durations are written as \`90s\`, \`3m\`, \`1h30m\` or \`30d\`.

## spec
${table(spec, "spec")}

## status
${table(status, "status")}
`,
};

let stale = false;
for (const [relative, content] of Object.entries(files)) {
  const path = fileURLToPath(new URL(relative, import.meta.url));
  if (process.argv.includes("--check")) {
    const current = readFileSync(path, { encoding: "utf8", flag: "a+" });
    if (current !== content) {
      console.error(`${relative} is not what crd/agentworkload.ts says: run 'npm run generate' and commit`);
      stale = true;
    }
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}
process.exitCode = stale ? 1 : 0;
