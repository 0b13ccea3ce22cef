/** `make deploy` and `make deploy-for-tests`: the product into a cluster. `--help` says how. */
import { parseArgs } from "node:util";
import { deploy } from "./deploy/deploy.ts";
import { readImages, withImages } from "./deploy/images.ts";
import { kubectlAt } from "./deploy/kubectl.ts";
import { productManifests } from "./deploy/manifests.ts";

const USAGE = `usage: [KUBECONFIG=FILE] node scripts/deploy.ts [--image [REPOSITORY=]NAME]... [--for-tests REGISTRY]

With KUBECONFIG: into that cluster, which has Argo Workflows and Knative (docs/deploy.md).
  --image [REPOSITORY=]NAME  NAME instead of an image that config/ and eventing/ name; REPOSITORY is its name there without
                             the tag, the functions' where it is left out
  --for-tests REGISTRY       with what the tests need around it: sample sites, a provider of models, an inbox. The images of
                             this tree are built, and pushed to REGISTRY, as in registry.example.com/me
OPENAI_API_KEY and OPENAI_API_BASE: the provider of models, where the Secret agentic-model is not there yet.

Without KUBECONFIG: into the test cluster of this machine (make cluster), for tests, with images of this tree.`;

const say = (line: string): void => console.log(`deploy: ${line}`);

try {
  const { values } = parseArgs({
    options: {
      image: { type: "string", multiple: true, default: [] },
      "for-tests": { type: "string" },
      help: { type: "boolean" },
    },
  });
  const { KUBECONFIG, OPENAI_API_KEY = "", OPENAI_API_BASE = "https://api.openai.com/v1" } = process.env;
  if (values.help) console.log(USAGE);
  else if (!KUBECONFIG) {
    if (values.image.length > 0) throw new Error("--image is for the cluster of KUBECONFIG, which is not set");
    const { deployToTestCluster } = await import("../test/cluster/product/deploy.ts");
    await deployToTestCluster(say);
  } else if (values["for-tests"] !== undefined) {
    const { deployToOwnCluster } = await import("../test/cluster/product/own-cluster.ts");
    const kubectl = kubectlAt("kubectl", KUBECONFIG);
    await deployToOwnCluster({ kubectl, registry: values["for-tests"], replaced: values.image, say });
  } else {
    const manifests = productManifests();
    await deploy({
      kubectl: kubectlAt("kubectl", KUBECONFIG),
      manifests: withImages(manifests, readImages(values.image, manifests)),
      model: { apiKey: OPENAI_API_KEY, apiBase: OPENAI_API_BASE },
      say,
    });
  }
} catch (error) {
  console.error(`deploy: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
