import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerdSocket, home, nodeIP } from "../context.ts";
import { imageName } from "../images/name.ts";
import { bridge, firstPodIP, podCIDR } from "../network.ts";
import { attempt } from "../run.ts";
import type { Part } from "./part.ts";

const folder = join(home, "containerd");

// The netns mounts stay in our state folder, so that `down` finds them; no plugin writes elsewhere. runc may not lower
// an oom score without CAP_SYS_RESOURCE, which a machine that is itself a container or a small VM may not give.
const config = (): string => `
version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${imageName("pause", "pause")}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "${folder}/runc"
      SystemdCgroup = false
`;

// Masquerading is one rule of ours (machine/network.ts) instead of a chain a pod.
const cni = {
  cniVersion: "0.4.0",
  name: bridge,
  plugins: [
    {
      type: "bridge",
      bridge,
      isGateway: true,
      hairpinMode: true,
      ipam: {
        type: "host-local",
        dataDir: `${folder}/addresses`,
        ranges: [[{ subnet: podCIDR, rangeStart: firstPodIP, gateway: nodeIP }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
  ],
};

export const containerd: Part = {
  name: "containerd",
  command: "containerd",
  args: ["--config", join(folder, "config.toml")],
  prepare() {
    mkdirSync(join(folder, "cni"), { recursive: true });
    writeFileSync(join(folder, "config.toml"), config());
    writeFileSync(join(folder, "cni", "10-agentic.conflist"), JSON.stringify(cni, null, 2));
  },
  ready: async () => (await attempt("ctr", ["--address", containerdSocket, "version"])) !== undefined,
};
