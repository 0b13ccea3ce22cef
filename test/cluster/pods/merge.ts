export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Resource = { [key: string]: Value };

const isObject = (value: Value | undefined): value is Resource =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A strategic merge as kubectl's: objects key by key, lists of named things by name, null takes away, else the patch wins. */
export function merge(base: Value | undefined, patch: Value): Value {
  if (isObject(patch)) {
    const merged: Resource = isObject(base) ? { ...base } : {};
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) delete merged[key];
      else merged[key] = merge(merged[key], value);
    }
    return merged;
  }
  if (Array.isArray(base) && Array.isArray(patch) && patch.every((item) => nameOf(item) !== undefined)) {
    const patches = new Map(patch.map((item) => [nameOf(item), item]));
    const there = new Set(base.map(nameOf));
    return [
      ...base.map((item) => (patches.has(nameOf(item)) ? merge(item, patches.get(nameOf(item)) ?? item) : item)),
      ...patch.filter((item) => !there.has(nameOf(item))),
    ];
  }
  return patch;
}

function nameOf(value: Value): Value | undefined {
  return isObject(value) ? value["name"] : undefined;
}

/** What object a manifest is about. */
export function identity(resource: Resource): string {
  const metadata = isObject(resource["metadata"]) ? resource["metadata"] : {};
  return [resource["kind"], metadata["namespace"], metadata["name"]].join("/");
}
