import { execFileSync } from "node:child_process";

/** A tarball of `names` in `folder`. The same content gives the same bytes, whoever packs it and when. */
export function archive(file: string, folder: string, names: readonly string[], prefix = ""): void {
  const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go=rX"];
  const tar = execFileSync("tar", ["-C", folder, ...same, `--transform=s,^,${prefix},`, "-cf", "-", ...names], {
    maxBuffer: 256 * 1024 * 1024,
  });
  execFileSync("sh", ["-c", 'gzip -9 >"$0"', file], { input: tar });
}
