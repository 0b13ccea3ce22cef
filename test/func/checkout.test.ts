import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "./command.ts";
import { findFunc } from "./func.ts";

const home = await mkdtemp(join(tmpdir(), "agentic-func-"));
const func = await findFunc(home);
afterAll(() => rm(home, { recursive: true, force: true }));

test("func.yaml says to func what the functions need", async () => {
  const { code, stdout, stderr } = await func(ROOT, "config", "envs", "--output", "json");
  expect([code, stderr]).toEqual([0, ""]);
  const envs = JSON.parse(stdout) as { Name?: string; Value: string }[];
  expect(envs.map(({ Name }) => Name ?? "")).toEqual([
    "FUNCTION",
    "REDIS_PASSWORD",
    "REDIS_URL",
    "ARTIFACTS_URL",
    "",
    "",
  ]);
  expect(envs.filter(({ Name }) => !Name).map(({ Value }) => Value)).toEqual([
    "{{ configMap:agentic-settings }}",
    "{{ secret:agentic-public-keys }}",
  ]);
});

test("without --target func looks for an instance in the cluster, and says that there is none", async () => {
  const { code, stderr } = await func(ROOT, "invoke");
  expect(code).not.toBe(0);
  expect(stderr).not.toContain("no function found in current directory");
});
