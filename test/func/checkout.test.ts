import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUILD_MS } from "../cluster/built.ts";
import { ROOT } from "./command.ts";
import { type Func, findFunc } from "./func.ts";

const home = await mkdtemp(join(tmpdir(), "agentic-func-"));
afterAll(() => rm(home, { recursive: true, force: true }));
let func: Func;
beforeAll(async () => {
  func = await findFunc(home);
}, BUILD_MS);

test("func.yaml gives the functions their settings", async () => {
  const { code, stdout, stderr } = await func(ROOT, "config", "envs", "--output", "json");
  expect([code, stderr]).toEqual([0, ""]);
  const envs = JSON.parse(stdout) as { Name: string | null; Value: string }[];
  expect(envs.map(({ Name, Value }) => `${Name ?? ""}${Value}`)).toEqual([
    "FUNCTION{{ env:FUNCTION }}",
    "{{ configMap:agentic-agent }}",
    "{{ secret:agentic-agent }}",
    "{{ secret:agentic-public-keys }}",
  ]);
});

test("func accepts the checkout as a function, and looks for its instance when it is not told where it is", async () => {
  const { code, stderr } = await func(ROOT, "invoke");
  expect([code, stderr]).toEqual([1, expect.stringContaining("fetching remote instances")]);
});

test("func says nothing when nobody listens: which is why docs/func.md refers to the function's log", async () => {
  const said = await func(ROOT, "invoke", "--target", "http://127.0.0.1:1", "--format", "cloudevent");
  expect(said).toEqual({ code: 0, stdout: "", stderr: "" });
});
