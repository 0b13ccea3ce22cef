import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRedisServer } from "../../cli/local/redis-server.ts";

let folder: string;
const path = process.env["PATH"];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-local-redis-"));
});
afterEach(async () => {
  process.env["PATH"] = path;
  await rm(folder, { recursive: true, force: true });
});

/** A redis-server that says this in its log and ends. */
async function endsWith(line: string): Promise<void> {
  const fake = join(folder, "redis-server");
  await writeFile(fake, `#!/bin/sh\necho '${line}' >"${folder}/redis.log"\nexit 1\n`);
  await chmod(fake, 0o755);
  process.env["PATH"] = [folder, path].join(delimiter);
}

test("is stopped and started again on the same folder", async () => {
  const first = await startRedisServer(folder);
  await first.stop();
  const second = await startRedisServer(folder);
  await second.stop();
});

test.each([
  ["1:M # Short write while writing to the AOF file: (nwritten=223, expected=861)", "NoSpace", /free some/],
  ["1:M # Error writing to the AOF file: No space left on device", "NoSpace", /free some/],
  ["1:M # Bad file format reading the append only file", "RedisLost", /exit code 1.*Bad file format/s],
])("one that ends with %j is %s", async (line, reason, message) => {
  await endsWith(line);
  await expect(startRedisServer(folder)).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
});
