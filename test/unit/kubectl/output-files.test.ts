import { expect, test } from "vitest";
import { outputFiles } from "../../../cli/kubectl/output-files.ts";

const UID = "7d1f3c52-0000-4000-8000-000000000001";
const key = (digit: string, type: string, uid = UID) => `team-a/${uid}/${digit.repeat(64)}.${type}`;
const filesOf = (outputs: Record<string, string>) =>
  outputFiles({ metadata: { namespace: "team-a", name: "demo", uid: UID, createdAt: "" }, status: { outputs } }).map(
    ({ name, file }) => `${name} ${file}`,
  );

test.each<[string, Record<string, string>, string[]]>([
  ["no output", {}, []],
  [
    "one of each type has the workload's name",
    { html: key("1", "html"), data: key("2", "json") },
    ["html demo.html", "data demo.json"],
  ],
  [
    "several of a type have their own",
    { "0-page": key("1", "html"), "1-page": key("2", "html") },
    ["0-page 0-page.html", "1-page 1-page.html"],
  ],
  [
    "a name leads nowhere else",
    { "../../etc/passwd": key("1", "txt"), "/root/.bashrc": key("2", "txt") },
    ["../../etc/passwd _etc_passwd.txt", "/root/.bashrc _root_bashrc.txt"],
  ],
  [
    "no output is saved over another",
    { "a!-2": key("1", "txt"), "a!": key("2", "txt"), "a?": key("3", "txt"), A_: key("4", "txt") },
    ["a!-2 a_-2.txt", "a! a_.txt", "a? a_-3.txt", "A_ A_-4.txt"],
  ],
  [
    "what is no artifact of this workload is none of its outputs",
    {
      mine: key("1", "txt"),
      other: key("2", "txt", UID.replace(/1$/, "2")),
      path: `team-a/${UID}/../x.txt`,
      text: "hello",
    },
    ["mine demo.txt"],
  ],
])("%s", (_what, outputs, files) => {
  expect(filesOf(outputs)).toEqual(files);
});
