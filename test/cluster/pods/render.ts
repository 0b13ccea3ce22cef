import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { wheels } from "../build/wheels.ts";
import { wheelImage } from "../images/cluster-images.ts";
import { imageName } from "../images/name.ts";
import type { Addon } from "./addons.ts";
import { identity, merge, type Resource, type Value } from "./merge.ts";

const config = join(import.meta.dirname, "..", "config");
const clusterWide = /^(Namespace|ClusterRole|ClusterRoleBinding|PriorityClass|.*WebhookConfiguration)$/;
// One node has no use for these.
const unwanted = ["HorizontalPodAutoscaler", "PodDisruptionBudget"];

/** An addon's objects but for its CRDs: what is upstream, with our file laid over it, for one small node. */
export function render(addon: Addon): Resource[] {
  const upstream = addon.from.flatMap((folder) => yamlFiles(folder, addon.skip)).filter((file) => !isCrd(file));
  const ours = new Map(read(overlayOf(addon)).map((resource) => [identity(resource), resource]));
  const merged = upstream
    .flatMap(read)
    .map((resource) => withNamespace(resource, addon.namespace))
    .map((resource) => {
      const patch = ours.get(identity(resource));
      ours.delete(identity(resource));
      return patch ? (merge(resource, patch) as Resource) : resource;
    });
  return [...merged, ...ours.values()]
    .filter(({ kind }) => !unwanted.includes(String(kind)))
    .map((resource) => adapt(resource) as Resource);
}

/** Its CRDs, as files: they are taken as they are, and kubectl reads 10 MB of YAML faster than we do. */
export function crdFiles(addon: Addon): string[] {
  return addon.from.flatMap((folder) => yamlFiles(folder, addon.skip)).filter(isCrd);
}

export const overlayOf = (addon: Addon): string => join(config, `${addon.name}.yaml`);

function isCrd(file: string): boolean {
  return /^kind: CustomResourceDefinition$/m.test(readFileSync(file, "utf8"));
}

function yamlFiles(folder: string, skip: RegExp | undefined): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml") && !skip?.test(file))
    .sort()
    .map((file) => join(folder, file));
}

function read(file: string): Resource[] {
  return parseAllDocuments(readFileSync(file, "utf8"))
    .map((document) => document.toJS() as Resource | null)
    .filter((resource) => resource !== null);
}

function withNamespace(resource: Resource, namespace: string | undefined): Resource {
  if (namespace === undefined || clusterWide.test(String(resource["kind"]))) {
    return resource["kind"] === "ClusterRoleBinding" && namespace !== undefined
      ? withSubjects(resource, namespace)
      : resource;
  }
  return withSubjects(merge(resource, { metadata: { namespace } }) as Resource, namespace);
}

function withSubjects(resource: Resource, namespace: string): Resource {
  const subjects = resource["subjects"];
  if (!Array.isArray(subjects)) return resource;
  return { ...resource, subjects: subjects.map((subject) => merge(subject, { namespace })) };
}

/** Within a second, as Knative asks, two cores on which everything starts at once do not answer. */
const timeoutSeconds = 5;

/** Our images; no requests that a node of two cores could not give; ready as soon as it is. */
function adapt(value: Value): Value {
  if (typeof value === "string") return value.startsWith("ko://") ? image(value) : value;
  if (Array.isArray(value)) return value.map(adapt);
  if (typeof value !== "object" || value === null) return value;
  const adapted: Resource = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === "resources" && "image" in value) continue;
    adapted[key] = adapt(inner);
  }
  if ("readinessProbe" in adapted) {
    adapted["readinessProbe"] = merge(adapted["readinessProbe"], {
      initialDelaySeconds: 0,
      periodSeconds: 1,
      timeoutSeconds,
    });
  }
  if ("livenessProbe" in adapted) {
    adapted["livenessProbe"] = merge(adapted["livenessProbe"], {
      periodSeconds: 10,
      timeoutSeconds,
      failureThreshold: 6,
    });
  }
  return adapted;
}

/** `ko://knative.dev/eventing/cmd/broker/filter` is the binary `filter` of eventing. */
function image(reference: string): string {
  const wheel = wheels.find((name) => reference === `ko://${name}`);
  if (wheel) return wheelImage(wheel);
  const [, path = ""] = /^ko:\/\/(?:knative\.dev\/)?(.*)$/.exec(reference) ?? [];
  const upstream = path.split("/")[0] as Parameters<typeof imageName>[0];
  return imageName(upstream, basename(path));
}
