import { type Mutation, mutationsOf } from "./mutation.ts";

const RELEASE = ["test/unit/release.test.ts"];

/** What is released, and who can tell that it was us. */
export const RELEASE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("scripts/release/ready.ts", RELEASE, [
    { why: "a version that the changelog does not tell", find: "isTold ? []", replace: "true ? []" },
    { why: "a tree with changes", find: 'changes === "" ? []', replace: "true ? []" },
    { why: "no key", find: "hasKey ? []", replace: "true ? []" },
    {
      why: "a pre-release is another version",
      find: "line === `## ${version}` || line.startsWith(`## ${version} `)",
      replace: "line.startsWith(`## ${version}`)",
    },
  ]),
  ...mutationsOf("scripts/release/sign.ts", RELEASE, [
    {
      why: "a key that cosign does not know",
      find: 'key.asymmetricKeyType !== "ec" ||',
      replace: 'key.asymmetricKeyType === "rsa" &&',
    },
    {
      why: "an envelope binds its type",
      find: "${payloadType} ${Buffer.byteLength(payload)}",
      replace: "${Buffer.byteLength(payload)}",
    },
  ]),
  ...mutationsOf("scripts/release/archive.ts", RELEASE, [
    { why: "the same bytes whenever", find: '"--mtime=@0", ', replace: "" },
  ]),
];
