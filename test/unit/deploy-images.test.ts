import { describe, expect, test } from "vitest";
import { partsOf } from "../../scripts/deploy/digests.ts";
import { FUNCTIONS, imagesIn, readImages, withImages } from "../../scripts/deploy/images.ts";
import { productManifests } from "../../scripts/deploy/manifests.ts";

const pod = (...images: string[]) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "pod" },
  spec: { containers: images.map((image) => ({ image })) },
});

describe("--image", () => {
  const manifests = [pod(`${FUNCTIONS}:0.1.0`, "docker.io/library/redis:7.4"), pod("localhost:5000/own@sha256:abc")];

  test.each([
    [[], {}],
    [["localhost:5000/f@sha256:def"], { [FUNCTIONS]: "localhost:5000/f@sha256:def" }],
    [
      ["me/f:1", "docker.io/library/redis=me/redis", "localhost:5000/own=me/own:2"],
      { [FUNCTIONS]: "me/f:1", "docker.io/library/redis": "me/redis", "localhost:5000/own": "me/own:2" },
    ],
  ])("%j", (options, images) => {
    expect(readImages(options, manifests)).toEqual(images);
  });

  test("of an image that nothing runs is refused, and says which there are", () => {
    expect(() => readImages(["redis=me/redis"], manifests)).toThrow(
      /redis.*docker\.io\/library\/redis, localhost:5000/,
    );
  });

  test("reaches every image of the product", () => {
    const all = [
      "ghcr.io/browserless/chromium",
      "ghcr.io/berriai/litellm",
      "docker.io/library/redis",
      "ghcr.io/versity/versitygw",
    ];
    const options = ["x.example/new", ...all.map((repository) => `${repository}=x.example/new`)];
    const manifests = productManifests();
    const images = JSON.stringify(withImages(manifests, readImages(options, manifests))).match(/"image":"[^"]*"/g);
    expect(new Set(images)).toEqual(new Set(['"image":"x.example/new"']));
  });
});

test.each([
  ["redis:7.4", "registry-1.docker.io", "library/redis", "7.4"],
  ["docker.io/library/redis:7.4", "registry-1.docker.io", "library/redis", "7.4"],
  ["me/f", "registry-1.docker.io", "me/f", "latest"],
  ["ghcr.io/berriai/litellm:v1.106.2", "ghcr.io", "berriai/litellm", "v1.106.2"],
  ["localhost:5000/own", "localhost:5000", "own", "latest"],
  ["localhost:5000/a/b:1", "localhost:5000", "a/b", "1"],
])("%s is asked for at %s", (image, host, repository, tag) => {
  expect(partsOf(image)).toEqual({ host, repository, tag });
});

test("no image of the product is by a tag that moves", () => {
  for (const image of imagesIn(productManifests())) expect(image).toMatch(/:v?\d+(\.\d+)+$/);
});

test("what is not replaced stays, tag and digest included", () => {
  const before = pod("a/b:1", "a/b:1@sha256:abc", "c:2");
  expect(withImages(before, { c: "d:3" })).toEqual(pod("a/b:1", "a/b:1@sha256:abc", "d:3"));
  expect(withImages(before, { "a/b": "x" })).toEqual(pod("x", "x", "c:2"));
});
