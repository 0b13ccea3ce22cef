import pLimit from "p-limit";
import type { Buckets } from "./bucket.ts";
import type { ObjectStore } from "./object-store.ts";
import { codeOf, createS3Client, type S3Settings, textsOf } from "./s3-client.ts";

const DELETES_AT_ONCE = 16;

/** Codes, not the status: versitygw without accounts answers 404 to an unknown login, too. */
const ABSENT = ["NoSuchKey", "NoSuchBucket"];
/** Of a write that only a new object is wanted by: it is there, or somebody else writes it in this moment. */
const TAKEN = ["PreconditionFailed", "ConditionalRequestConflict"];

/** An object's key is the artifact's. @throws Error for settings that cannot work; its message holds no secret */
export function createS3Store(buckets: Buckets, settings: S3Settings): ObjectStore {
  const { send, accept, createBucket } = createS3Client(settings);
  /** Keys and scopes begin with the namespace. */
  const bucketOf = (key: string): string => buckets.of(key.slice(0, key.indexOf("/")));

  const list = async function* (prefix: string, modifiedSince?: Date): AsyncGenerator<readonly string[]> {
    const bucket = bucketOf(prefix);
    let token: string | undefined;
    do {
      const query = { "list-type": "2", prefix, ...(token ? { "continuation-token": token } : {}) };
      const answer = await send({ method: "GET", path: bucket, query });
      const xml = new TextDecoder().decode(accept(answer, `list ${bucket}/${prefix}`, ["NoSuchBucket"]));
      const modified = textsOf(xml, "LastModified").map((time) => new Date(time));
      yield textsOf(xml, "Key").filter((_, at) => !modifiedSince || !(modified[at] && modified[at] < modifiedSince));
      token = textsOf(xml, "NextContinuationToken")[0];
    } while (token);
  };

  /** @returns false: there is one already, where only a new one is wanted */
  const put = async (key: string, bytes: Uint8Array, onlyNew: boolean): Promise<boolean> => {
    const path = `${bucketOf(key)}/${key}`;
    // fetch's type rules out shared memory, which holds no artifact.
    const body = bytes as Uint8Array<ArrayBuffer>;
    const refusals = onlyNew ? TAKEN : [];
    const write = async (expected: readonly string[]): Promise<string | undefined> => {
      const answer = await send({ method: "PUT", path, body, onlyNew });
      return accept(answer, `write ${path}`, expected) ? undefined : codeOf(answer);
    };
    const refusal = await write(["NoSuchBucket", ...refusals]);
    if (refusal !== "NoSuchBucket") return refusal === undefined;
    await createBucket(bucketOf(key));
    return (await write(refusals)) === undefined;
  };

  return {
    list,
    create: (key, bytes) => put(key, bytes, true),
    async read(key) {
      const path = `${bucketOf(key)}/${key}`;
      return accept(await send({ method: "GET", path }), `read ${path}`, ABSENT);
    },
    async write(key, bytes) {
      await put(key, bytes, false);
    },
    async remove(scope) {
      const bucket = bucketOf(scope);
      const limit = pLimit(DELETES_AT_ONCE);
      const removeOne = async (key: string): Promise<void> => {
        const path = `${bucket}/${key}`;
        accept(await send({ method: "DELETE", path }), `delete ${path}`, ABSENT);
      };
      for await (const keys of list(`${scope}/`)) await Promise.all(keys.map((key) => limit(() => removeOne(key))));
    },
  };
}
