import { output } from "./command.ts";

export interface Sizes {
  /** MB that a registry stores and a node pulls. */
  readonly compressed: number;
  /** MB on a node's disk. */
  readonly unpacked: number;
}

interface Manifest {
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** Of the layers in an OCI archive. */
export function sizesOf(tar: string): Sizes {
  const index = JSON.parse(read(tar, "index.json")) as { manifests: { digest: string }[] };
  const { layers } = JSON.parse(read(tar, blob(index.manifests[0]?.digest ?? ""))) as Manifest;
  const count = 'tar -xOf "$0" "$1" | gzip -dcf | wc -c';
  const unpacked = layers.map(({ digest }) => Number(output("sh", ["-c", count, tar, blob(digest)])));
  return { compressed: megabytes(layers.map(({ size }) => size)), unpacked: megabytes(unpacked) };
}

const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

function read(tar: string, path: string): string {
  const text = output("tar", ["-xOf", tar, path]);
  if (text === undefined) throw new Error(`${tar} is no OCI archive: it has no ${path}; remove it and run this again`);
  return text;
}

function megabytes(bytes: readonly number[]): number {
  return bytes.reduce((sum, size) => sum + size, 0) / 1e6;
}
