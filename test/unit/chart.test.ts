import { expect, test } from "vitest";
import { substitute } from "../../scripts/chart/substitutions.ts";
import { TemplateWriter } from "../../scripts/chart/template.ts";
import { type Manifest, productManifests } from "../../scripts/deploy/manifests.ts";

// What the generator refuses. That its chart is right, Helm itself says: test/integration/chart.test.ts.

const plain = (): Manifest[] => productManifests().filter(({ kind }) => kind !== "CustomResourceDefinition");
const substituted = (manifests: readonly Manifest[]) => substitute(manifests, new TemplateWriter());

test("an object that the plain YAML has lost is said", () => {
  const without = plain().filter(({ kind, metadata }) => !(kind === "DaemonSet" && metadata.name === "seccomp"));
  expect(() => substituted(without)).toThrow("no DaemonSet/seccomp is in config/");
});

test.each([
  ["browserless", '"CONCURRENT"', '"AT_ONCE"', "containers.browserless.env.CONCURRENT"],
  ["redis", '"640mb"', '"700mb"', "containers.redis.args.=640mb"],
])("a place in %s that is gone is said", (name, find, replace, at) => {
  const changed = plain().map((manifest) =>
    manifest.kind === "Deployment" && manifest.metadata.name === name
      ? (JSON.parse(JSON.stringify(manifest).replace(find, replace)) as Manifest)
      : manifest,
  );
  expect(() => substituted(changed)).toThrow(`nothing is at spec.template.spec.${at}`);
});

test("an image that no value names is said", () => {
  const pod = { template: { spec: { containers: [{ name: "new", image: "docker.io/library/new:1" }] } } };
  const metadata = { name: "new", namespace: "agentic-system" };
  const added = { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: pod };
  expect(() => substituted([...plain(), added])).toThrow("docker.io/library/new:1 is in no list");
});

test("text that looks like a template stays text, and what YAML 1.1 takes for a boolean is quoted", () => {
  expect(new TemplateWriter().write({ text: "{{ .Values.x }}", list: ["on", "no"] })).toBe(
    'text: "{{ "{{" }} .Values.x }}"\nlist:\n  - "on"\n  - "no"\n',
  );
});
