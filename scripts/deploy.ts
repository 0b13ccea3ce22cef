/** `make deploy`: to the cluster of KUBECONFIG with `--image NAME`, or without KUBECONFIG to the test cluster of `make cluster`. */
import { parseArgs } from "node:util";
import { deploy } from "./deploy/deploy.ts";
import { kubectlAt } from "./deploy/kubectl.ts";
import { productManifests, withImages } from "./deploy/manifests.ts";

const FUNCTIONS = "ghcr.io/agentic-kubernetes/functions";
const say = (line: string): void => console.log(`deploy: ${line}`);

const { values } = parseArgs({ options: { image: { type: "string" }, help: { type: "boolean" } } });
const { KUBECONFIG, OPENAI_API_KEY = "", OPENAI_API_BASE = "https://api.openai.com/v1" } = process.env;
try {
  if (values.help) {
    console.log(
      "usage: [KUBECONFIG=FILE] [OPENAI_API_KEY=KEY] node scripts/deploy.ts [--image NAME]\nWithout KUBECONFIG: to the test cluster (make cluster), with images built from this tree.",
    );
  } else if (KUBECONFIG) {
    const images = values.image ? { [FUNCTIONS]: values.image } : {};
    await deploy({
      kubectl: kubectlAt("kubectl", KUBECONFIG),
      manifests: withImages(productManifests(), images),
      model: { apiKey: OPENAI_API_KEY, apiBase: OPENAI_API_BASE },
      say,
    });
  } else {
    const { deployToTestCluster } = await import("../test/cluster/product/deploy.ts");
    await deployToTestCluster(say);
  }
} catch (error) {
  console.error(`deploy: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
