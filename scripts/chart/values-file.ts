import { Document, isMap, isScalar, type YAMLMap } from "yaml";
import { chartSchema } from "./schema.ts";
import type { Values } from "./values.ts";

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
}

/** values.yaml: the defaults, each with what the schema says of it. */
export function valuesFile(defaults: Values): string {
  const document = new Document(ordered(defaults, chartSchema() as Described), {
    aliasDuplicateObjects: false,
    compat: "yaml-1.1",
  });
  document.commentBefore = " Generated from scripts/chart/values.ts and the plain YAML by 'npm run generate'.";
  if (isMap(document.contents)) comment(document.contents, chartSchema() as Described);
  return document.toString({ lineWidth: 140, flowCollectionPadding: true });
}

/** In the order of the schema, which is the one to read in. */
function ordered(value: unknown, schema: Described | undefined): unknown {
  const { properties } = schema ?? {};
  if (!properties || typeof value !== "object" || value === null) return value;
  const there = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(properties).flatMap((key) => (key in there ? [[key, ordered(there[key], properties[key])]] : [])),
  );
}

function comment(map: YAMLMap, schema: Described): void {
  for (const { key, value } of map.items) {
    if (!isScalar(key)) continue;
    const described = schema.properties?.[String(key.value)];
    if (described?.description) key.commentBefore = ` ${described.description}`;
    if (described?.properties && isMap(value)) comment(value, described);
  }
}
