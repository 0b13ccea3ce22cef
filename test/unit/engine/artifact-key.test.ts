import { describe, expect, test } from "vitest";
import { artifactKey, artifactScope, digestIn, isArtifactOf } from "../../../engine/artifact-key.ts";

const OWNER = { namespace: "team-a", uid: "5e1c0de0-0000-4000-8000-000000000001" };
const DIGEST = "0".repeat(64);
const FILE = `${DIGEST}.json`;

describe("the key of an artifact", () => {
  test("begins with the workload's namespace, and names its bytes", () => {
    const key = artifactKey(OWNER, DIGEST, "json");
    expect(key).toBe(`team-a/${OWNER.uid}/${FILE}`);
    expect([isArtifactOf(OWNER, key), digestIn(key)]).toEqual([true, DIGEST]);
  });

  test.each([
    ["another workload's", `team-a/another/${FILE}`],
    ["another namespace's", `team-b/${OWNER.uid}/${FILE}`],
    ["of a namespace that begins alike", `team-a-b/${OWNER.uid}/${FILE}`],
    ["of a namespace that it begins with", `team/${OWNER.uid}/${FILE}`],
    ["in capitals", `Team-a/${OWNER.uid}/${FILE}`],
    ["below a folder", `team-a/${OWNER.uid}/x/${FILE}`],
    ["that goes up", `team-a/${OWNER.uid}/../another/${FILE}`],
    ["that goes up and comes back", `team-a/${OWNER.uid}/../${OWNER.uid}/${FILE}`],
    ["with two slashes", `team-a//${OWNER.uid}/${FILE}`],
    ["with an encoded slash", `team-a%2f${OWNER.uid}/${FILE}`],
    ["from the root", `/team-a/${OWNER.uid}/${FILE}`],
    ["without a digest", `team-a/${OWNER.uid}/report.json`],
    ["with more after it", `team-a/${OWNER.uid}/${FILE}\n`],
    ["without an extension", `team-a/${OWNER.uid}/${DIGEST}`],
    ["of no file", `team-a/${OWNER.uid}/`],
    ["of nothing", ""],
  ])("%s is none of this workload", (_what, key) => {
    expect(isArtifactOf(OWNER, key)).toBe(false);
  });

  test.each(["", "x", FILE, `/${FILE}`, `uid/${FILE}`, `../uid/${FILE}`, `team-a/../${FILE}`, "team-a/uid/etc.txt"])(
    "%j is no key",
    (text) => {
      expect(digestIn(text)).toBeUndefined();
    },
  );

  test.each([
    ["", "uid"],
    ["team", ""],
    ["..", "uid"],
    ["team", ".."],
    ["team", "uid/x"],
    ["team/uid", "x"],
  ])("namespace %j and uid %j name no workload, and own nothing", (namespace, uid) => {
    expect(artifactScope({ namespace, uid })).toBeUndefined();
    expect(isArtifactOf({ namespace, uid }, artifactKey({ namespace, uid }, DIGEST, "json"))).toBe(false);
  });
});
