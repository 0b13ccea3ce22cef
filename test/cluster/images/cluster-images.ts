import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { folderOf } from "../binaries.ts";
import { programOf, type Wheel, wheelFolder } from "../build/wheels.ts";
import { cache } from "../paths.ts";
import { attempt } from "../run.ts";
import { imageName } from "./name.ts";
import { type Image, writeImages } from "./oci.ts";

/** The binaries that run as pods, an image each, a file an upstream. */
const inPods = {
  pause: ["pause"],
  coredns: ["coredns"],
  "argo-workflows": ["workflow-controller"],
  eventing: [
    ...["controller", "webhook", "apiserver_receive_adapter", "mtping", "ingress", "filter", "mtchannel_broker"],
    ...["channel_controller", "channel_dispatcher"],
  ],
  serving: ["controller", "webhook", "activator", "autoscaler", "queue"],
  "net-kourier": ["kourier"],
  "kube-network-policies": ["cmd"],
  keda: ["operator", "adapter"],
  "external-secrets": ["external-secrets"],
} as const;
type InPods = keyof typeof inPods;

/** What the tests that need it start (pods/on-demand.ts). */
const onDemand: readonly InPods[] = ["keda", "external-secrets"];

type Archive = { file: string; names: string[]; images: () => Image[] | Promise<Image[]> };

/** Of a wheel's program. */
export const wheelImage = (wheel: Wheel): string =>
  `dev.local/${wheel}/${basename(programOf(wheel))}:${basename(wheelFolder(wheel)).slice(-12)}`;

/** What is imported into a new cluster. */
export function archives(): Archive[] {
  const upstreams = (Object.keys(inPods) as InPods[]).filter((upstream) => !onDemand.includes(upstream));
  return [...upstreams.map(archiveOf), archiveOfWheel("envoy")];
}

export function archiveOfWheel(wheel: Wheel): Archive {
  return { file: archive(wheelFolder(wheel)), names: [wheelImage(wheel)], images: async () => [await ofWheel(wheel)] };
}

export function archiveOf(upstream: InPods): Archive {
  const images = inPods[upstream].map((binary) => goImage(upstream, binary));
  return { file: archive(folderOf(upstream)), names: images.map(({ name }) => name), images: () => images };
}

/** Makes those archives that the cache lacks. */
export async function buildImages(wanted = archives()): Promise<void> {
  for (const { file, images } of wanted) if (!existsSync(file)) await writeImages(await images(), file);
}

const archive = (folder: string): string => join(cache, "cluster-images", `${basename(folder)}.tar`);

function goImage(upstream: InPods, binary: string): Image {
  const path = `/app/${binary}`;
  const files = { [path]: join(folderOf(upstream), binary) };
  return { name: imageName(upstream, binary), files, entrypoint: [path] };
}

/** What it is linked with, of this machine, goes with it: the C library, in Envoy's case. */
async function ofWheel(wheel: Wheel): Promise<Image> {
  const binary = programOf(wheel);
  const linked = await attempt("ldd", [binary]);
  const libraries = [...(linked ?? "").matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => [path, path]);
  const path = `/usr/local/bin/${basename(binary)}`;
  return { name: wheelImage(wheel), files: { ...Object.fromEntries(libraries), [path]: binary }, entrypoint: [path] };
}
