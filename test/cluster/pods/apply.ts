import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashFiles } from "../build/hash.ts";
import { home } from "../context.ts";
import { archives } from "../images/cluster-images.ts";
import { kubectl } from "../kubectl.ts";
import { retried } from "../wait.ts";
import type { Addon } from "./addons.ts";
import type { Resource } from "./merge.ts";
import { crdFiles, overlayOf, render } from "./render.ts";

// Webhooks last: until their pods are up they would refuse the rest.
const last = /WebhookConfiguration$/;

/** Applies an addon's objects, unless just these were applied to this cluster before. True: they were new. */
export async function apply(addon: Addon): Promise<boolean> {
  const stamp = stampOf(addon);
  const digest = digestOf(addon);
  if (readStamp(stamp) === digest) return false;
  const crds = crdFiles(addon).flatMap((file) => ["-f", file]);
  if (crds.length > 0) await kubectl([...serverSide, ...crds]);
  const resources = render(addon);
  const namespaces = resources.filter(({ kind }) => kind === "Namespace");
  const webhooks = resources.filter(({ kind }) => last.test(String(kind)));
  await applyAll(namespaces);
  const rest = resources.filter((resource) => !namespaces.includes(resource) && !webhooks.includes(resource));
  // A CRD's kind is there a moment after it, on a busy machine a long one.
  await retried(() => applyAll(rest), 180);
  await applyAll(webhooks);
  mkdirSync(join(home, "applied"), { recursive: true });
  writeFileSync(stamp, digest);
  return true;
}

/** Removes what `apply` made, but for namespaces: with each that goes Knative rolls its sources out anew. */
export async function remove(addon: Addon): Promise<void> {
  rmSync(stampOf(addon), { force: true });
  const gone = ["--ignore-not-found", "--timeout=120s"];
  const resources = render(addon).filter(({ kind }) => kind !== "Namespace");
  await kubectl(["delete", ...gone, "-f", "-"], list(resources));
  const crds = crdFiles(addon).flatMap((file) => ["-f", file]);
  if (crds.length > 0) await kubectl(["delete", ...gone, ...crds]);
}

const stampOf = ({ name }: Addon): string => join(home, "applied", name);

/** Of all that decides what is applied: the upstream's hash is in the names of its folders and images. */
function digestOf(addon: Addon): string {
  const images = archives().flatMap(({ names }) => names);
  return hashFiles(import.meta.dirname, JSON.stringify([addon, images]), readFileSync(overlayOf(addon), "utf8"));
}

const serverSide = ["apply", "--server-side", "--force-conflicts", "--validate=false"];

async function applyAll(resources: Resource[]): Promise<void> {
  if (resources.length > 0) await kubectl([...serverSide, "-f", "-"], list(resources));
}

function list(items: Resource[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function readStamp(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
