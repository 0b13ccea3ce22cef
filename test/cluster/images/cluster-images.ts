import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { folderOf } from "../binaries.ts";
import { envoyFolder } from "../build/envoy.ts";
import { cache } from "../paths.ts";
import { run } from "../run.ts";
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
} as const;
type InPods = keyof typeof inPods;

/** What the tests that need it start (pods/on-demand.ts). */
const onDemand: readonly InPods[] = ["keda"];

type Archive = { file: string; names: string[]; images: () => Image[] | Promise<Image[]> };

export const envoyImage = (): string => `dev.local/envoy/envoy:${basename(envoyFolder()).slice(-12)}`;

/** What is imported into a new cluster. */
export function archives(): Archive[] {
  const upstreams = (Object.keys(inPods) as InPods[]).filter((upstream) => !onDemand.includes(upstream));
  const ofEnvoy = { file: archive(envoyFolder()), names: [envoyImage()], images: async () => [await envoy()] };
  return [...upstreams.map(archiveOf), ofEnvoy];
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

/** Envoy is linked with the C library: this machine's own goes with it. */
async function envoy(): Promise<Image> {
  const binary = join(envoyFolder(), "envoy");
  const libraries = [...(await run("ldd", [binary])).matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => [path, path]);
  const path = "/usr/local/bin/envoy";
  return { name: envoyImage(), files: { ...Object.fromEntries(libraries), [path]: binary }, entrypoint: [path] };
}
