/**
 * Writes the CRD and the reference page of each kind from its schema. With --check it only reports files that are out of date. With --versions it
 * prints CRDs that serve all versions of the API, and what admit needs to convert between them.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { z } from "zod";
import { isConverted, schemaIn, VERSIONS, type Version } from "./conversion.ts";
import { KINDS, type KindDefinition } from "./kinds.ts";
import { type StructuralSchema, toStructural } from "./structural.ts";

function schemaOf({ kind, schema, description, extensions }: KindDefinition, version: Version): StructuralSchema {
  const derived = z.toJSONSchema(schema, { io: "input", reused: "inline", unrepresentable: "any" });
  const properties = derived.properties as Record<string, Record<string, unknown>>;
  const part = (name: "spec" | "status") =>
    properties[name] ? { [name]: toStructural(properties[name], extensions, name) } : {};
  const stored: StructuralSchema = {
    type: "object",
    description,
    required: ["spec"],
    properties: {
      // The same in all versions: the API server refuses selectable fields that are equal where the schemas are not (1.34).
      apiVersion: { type: "string", description: "agentic.dev/VERSION." },
      kind: { type: "string", description: `${kind}.` },
      // The API server refuses a CRD that says more of metadata.
      metadata: { type: "object" },
      ...part("spec"),
      ...part("status"),
    },
    ...extensions[""],
  };
  return schemaIn(version, kind, stored);
}

function versionIn(of: KindDefinition, version: Version) {
  const schema = schemaOf(of, version);
  return {
    name: version,
    served: true,
    storage: version === VERSIONS[0],
    ...(schema.properties?.["status"] ? { subresources: { status: {} } } : {}),
    ...(of.selectable ? { selectableFields: of.selectable.map((jsonPath) => ({ jsonPath })) } : {}),
    additionalPrinterColumns: of.columns,
    schema: { openAPIV3Schema: schema },
  };
}

function definition(of: KindDefinition, versions: readonly Version[]) {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${of.plural}.agentic.dev` },
    spec: {
      group: "agentic.dev",
      names: {
        kind: of.kind,
        listKind: `${of.kind}List`,
        plural: of.plural,
        singular: of.kind.toLowerCase(),
        shortNames: [of.shortName],
        categories: ["agentic"],
      },
      scope: "Namespaced",
      ...(versions.length > 1 && isConverted(of.kind) ? { conversion: CONVERSION } : {}),
      versions: versions.map((version) => versionIn(of, version)),
    },
  };
}

/** Asked only by who reads or writes another version than the one that is stored. admit fills in its certificate. */
const CONVERSION = {
  strategy: "Webhook",
  webhook: {
    conversionReviewVersions: ["v1"],
    clientConfig: { service: { namespace: "agentic-system", name: "admit", path: "/convert" } },
  },
};

/** The right of admit to say in our CustomResourceDefinitions whose certificate the API server is to trust. */
const TRUST = [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "agentic-admit-conversion" },
    rules: [
      {
        apiGroups: ["apiextensions.k8s.io"],
        resources: ["customresourcedefinitions"],
        resourceNames: KINDS.filter(({ kind }) => isConverted(kind)).map(({ plural }) => `${plural}.agentic.dev`),
        verbs: ["get", "patch"],
      },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "agentic-admit-conversion" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "agentic-admit-conversion" },
    subjects: [{ kind: "ServiceAccount", name: "admit", namespace: "agentic-system" }],
  },
];

const yaml = (object: object): string => stringify(object, { lineWidth: 120, aliasDuplicateObjects: false });

function definitionFile(of: KindDefinition): string {
  const source = `crd/${of.kind.toLowerCase()}.ts and crd/kinds.ts`;
  return `# Generated from ${source} by 'npm run generate'.\n${yaml(definition(of, [VERSIONS[0]]))}`;
}

function referencePage(of: KindDefinition): string {
  const { spec, status } = schemaOf(of, VERSIONS[0]).properties ?? {};
  return [
    `# ${of.kind}, agentic.dev/v1alpha1`,
    "",
    `${of.description} Short name \`${of.shortName}\`. Durations are written as \`90s\`, \`3m\`, \`1h30m\` or \`30d\`.`,
    `Generated from \`crd/${of.kind.toLowerCase()}.ts\` by \`npm run generate\`.`,
    "",
    "## spec",
    ...(spec ? table(spec, "spec") : []),
    ...(status ? ["", "## status", ...table(status, "status")] : []),
    of.notes,
  ].join("\n");
}

function table(node: StructuralSchema, path: string): string[] {
  return ["| field | type | default | meaning |", "| --- | --- | --- | --- |", ...rows(node, path, path === "spec")];
}

function rows(node: StructuralSchema, path: string, required: boolean): string[] {
  const type = node["x-kubernetes-int-or-string"] ? "integer or string" : (node.type ?? "object");
  const shown =
    node.default !== undefined && JSON.stringify(node.default) !== "{}"
      ? `\`${JSON.stringify(node.default)}\``
      : required
        ? "required"
        : "";
  const own = `| \`${path}\` | ${type} | ${shown} | ${(node.description ?? "").replaceAll("|", "\\|")} |`;
  const children = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    rows(child, `${path}.${name}`, node.required?.includes(name) ?? false),
  );
  const items = Object.entries(node.items?.properties ?? {}).flatMap(([name, child]) =>
    rows(child, `${path}[].${name}`, node.items?.required?.includes(name) ?? false),
  );
  return [own, ...children, ...items];
}

const files = KINDS.flatMap((of) => {
  const name = of.kind.toLowerCase();
  return [
    { path: `crd/${name}.yaml`, content: definitionFile(of) },
    { path: `docs/reference/${name}.md`, content: referencePage(of) },
  ];
});

const [asked] = process.argv.slice(2);
if (asked === "--versions") {
  const all = [...TRUST, ...KINDS.map((of) => definition(of, VERSIONS))];
  process.stdout.write(all.map(yaml).join("---\n"));
}

for (const { path, content } of asked === "--versions" ? [] : files) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  if (asked !== "--check") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  } else if (!existsSync(file) || readFileSync(file, "utf8") !== content) {
    console.error(`${path} is out of date: run 'npm run generate' and commit`);
    process.exitCode = 1;
  }
}
