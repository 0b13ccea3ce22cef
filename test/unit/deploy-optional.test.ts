import { expect, test } from "vitest";
import { isFor } from "../../scripts/deploy/deploy.ts";
import { productManifests } from "../../scripts/deploy/manifests.ts";

const left = (cluster: Parameters<typeof isFor>[0]) =>
  new Set(
    productManifests()
      .filter((manifest) => !isFor(cluster, manifest))
      .map(({ kind }) => kind),
  );

test.each([
  ["has both", { authenticated: true, scaled: true }, []],
  ["has no KEDA", { authenticated: true, scaled: false }, ["ScaledObject", "TriggerAuthentication"]],
  ["asks no publishers", { authenticated: false, scaled: true }, ["EventPolicy"]],
])("a cluster that %s", (_, cluster, kinds) => {
  expect([...left(cluster)].toSorted()).toEqual(kinds);
});
