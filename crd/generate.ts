/** Writes the CRD and the reference page of each kind from its schema. With --check it only reports files that are out of date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { z } from "zod";
import { KINDS, type KindDefinition } from "./kinds.ts";
import { type StructuralSchema, toStructural } from "./structural.ts";

function schemaOf({ kind, schema, description, extensions }: KindDefinition): StructuralSchema {
  const derived = z.toJSONSchema(schema, { io: "input", reused: "inline", unrepresentable: "any" });
  const properties = derived.properties as Record<string, Record<string, unknown>>;
  const part = (name: "spec" | "status") =>
    properties[name] ? { [name]: toStructural(properties[name], extensions, name) } : {};
  return {
    type: "object",
    description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: "agentic.dev/v1alpha1." },
      kind: { type: "string", description: `${kind}.` },
      // The API server refuses a CRD that says more of metadata.
      metadata: { type: "object" },
      ...part("spec"),
      ...part("status"),
    },
    ...extensions[""],
  };
}

function definition(of: KindDefinition): string {
  const schema = schemaOf(of);
  const crd = {
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
      versions: [
        {
          name: "v1alpha1",
          served: true,
          storage: true,
          ...(schema.properties?.["status"] ? { subresources: { status: {} } } : {}),
          ...(of.selectable ? { selectableFields: of.selectable.map((jsonPath) => ({ jsonPath })) } : {}),
          additionalPrinterColumns: of.columns,
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
  return `# Generated from crd/${of.kind.toLowerCase()}.ts and crd/kinds.ts by 'npm run generate'.\n${stringify(crd, { lineWidth: 120, aliasDuplicateObjects: false })}`;
}

function referencePage(of: KindDefinition): string {
  const { spec, status } = schemaOf(of).properties ?? {};
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
    { path: `crd/${name}.yaml`, content: definition(of) },
    { path: `docs/reference/${name}.md`, content: referencePage(of) },
  ];
});

for (const { path, content } of files) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  } else if (!existsSync(file) || readFileSync(file, "utf8") !== content) {
    console.error(`${path} is out of date: run 'npm run generate' and commit`);
    process.exitCode = 1;
  }
}
