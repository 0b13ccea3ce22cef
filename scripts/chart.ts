/**
 * The Helm chart, from config/, eventing/, crd/ and pipelines/ (docs/adr/0050): each of their files as a template of the same name, with the
 * values of scripts/chart/. With --check it only reports files that are out of date.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { chartSchema } from "./chart/schema.ts";
import { substitute } from "./chart/substitutions.ts";
import { TemplateWriter } from "./chart/template.ts";
import { valuesFile } from "./chart/values-file.ts";
import { productFiles, readManifests } from "./deploy/manifests.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const CHART = "charts/agentic";
/** What is generated alone in its folder: another file there is one that config/ has lost. */
const GENERATED = ["crds", "templates/product"];

/** Files of the chart that are generated, by their path below it. */
function chartFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const writer = new TemplateWriter();
  const sources = productFiles().map((file) => ({ file, manifests: readManifests(join(root, file)) }));
  const isCrd = ({ file }: { file: string }) => file.startsWith("crd/");
  for (const { file } of sources.filter(isCrd))
    files.set(`crds/${basename(file)}`, readFileSync(join(root, file), "utf8"));
  const others = sources.filter((one) => !isCrd(one));
  const { objects, defaults } = substitute(
    others.flatMap(({ manifests }) => manifests).filter((manifest) => !isRelease(manifest)),
    writer,
  );
  for (const { file, manifests } of others) {
    const own = objects.splice(0, manifests.filter((manifest) => !isRelease(manifest)).length);
    const documents = own.map(({ object, conditions }) => {
      const yaml = `---\n${writer.write(object)}`;
      return conditions.reduceRight((inner, condition) => `{{- if ${condition} }}\n${inner}{{- end }}\n`, yaml);
    });
    if (own.length > 0)
      files.set(
        `templates/product/${file.replace(/^(config|eventing|pipelines)\//, "").replaceAll("/", "-")}`,
        `{{- /* Generated from ${file}, which says why, by 'npm run generate'. */}}\n${documents.join("")}`,
      );
  }
  files.set("values.yaml", valuesFile(defaults));
  files.set("values.schema.json", `${JSON.stringify(chartSchema(), null, 2)}\n`);
  files.set("Chart.yaml", chartYaml());
  return files;
}

/** The release's own namespace, which is there before the release. */
const isRelease = ({ kind, metadata }: { kind: string; metadata: { name: string } }): boolean =>
  kind === "Namespace" && metadata.name === "agentic-system";

function chartYaml(): string {
  const { version, description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  const chart = {
    apiVersion: "v2",
    name: "agentic",
    description,
    type: "application",
    version,
    appVersion: version,
    // AgentDecisions need selectable fields and the authorizer of admission policies.
    kubeVersion: ">=1.31.0-0",
    keywords: ["ai", "agents", "knative", "argo-workflows", "langgraph"],
  };
  return `# Generated from package.json by 'npm run generate'.\n${stringify(chart)}`;
}

if (import.meta.main) {
  const files = chartFiles();
  const at = (path: string): string => join(root, CHART, path);
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(at(path), "utf8");
    } catch {
      return undefined;
    }
  };
  const list = (folder: string): string[] => {
    try {
      return readdirSync(at(folder)).map((file) => `${folder}/${file}`);
    } catch {
      return [];
    }
  };
  const stale = [...files].filter(([path, text]) => read(path) !== text);
  const left = GENERATED.flatMap(list).filter((path) => !files.has(path));
  if (!process.argv.includes("--check")) {
    for (const path of left) rmSync(at(path));
    for (const [path, text] of stale) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text);
    }
  } else if (stale.length + left.length > 0) {
    const names = [...stale.map(([path]) => path), ...left].map((path) => `${CHART}/${path}`);
    console.error(`out of date: ${names.join(", ")}; run 'npm run generate' and commit`);
    process.exitCode = 1;
  }
}
