import pLimit from "p-limit";
import type { Buckets } from "./bucket.ts";
import type { ObjectStore } from "./object-store.ts";
import { createS3Client, type S3Settings, textsOf } from "./s3-client.ts";

const DELETES_AT_ONCE = 16;

/** Codes, not the status: versitygw without accounts answers 404 to an unknown login, too. */
const ABSENT = ["NoSuchKey", "NoSuchBucket"];

/** An object's key is the artifact's. @throws Error for settings that cannot work; its message holds no secret */
export function createS3Store(buckets: Buckets, settings: S3Settings): ObjectStore {
  const { send, accept, createBucket } = createS3Client(settings);
  /** Keys and scopes begin with the namespace. */
  const bucketOf = (key: string): string => buckets.of(key.slice(0, key.indexOf("/")));

  const list = async function* (bucket: string, prefix: string): AsyncGenerator<readonly string[]> {
    let token: string | undefined;
    do {
      const query = { "list-type": "2", prefix, ...(token ? { "continuation-token": token } : {}) };
      const answer = await send({ method: "GET", path: bucket, query });
      const xml = new TextDecoder().decode(accept(answer, `list ${bucket}/${prefix}`, ["NoSuchBucket"]));
      yield textsOf(xml, "Key");
      token = textsOf(xml, "NextContinuationToken")[0];
    } while (token);
  };

  return {
    async read(key) {
      const path = `${bucketOf(key)}/${key}`;
      return accept(await send({ method: "GET", path }), `read ${path}`, ABSENT);
    },
    async write(key, bytes) {
      const bucket = bucketOf(key);
      const path = `${bucket}/${key}`;
      // fetch's type rules out shared memory, which holds no artifact.
      const body = bytes as Uint8Array<ArrayBuffer>;
      const put = async (...expected: readonly string[]): Promise<boolean> =>
        accept(await send({ method: "PUT", path, body }), `write ${path}`, expected) !== undefined;
      if (await put("NoSuchBucket")) return;
      await createBucket(bucket);
      await put();
    },
    async remove(scope) {
      const bucket = bucketOf(scope);
      const limit = pLimit(DELETES_AT_ONCE);
      const removeOne = async (key: string): Promise<void> => {
        const path = `${bucket}/${key}`;
        accept(await send({ method: "DELETE", path }), `delete ${path}`, ABSENT);
      };
      for await (const keys of list(bucket, `${scope}/`))
        await Promise.all(keys.map((key) => limit(() => removeOne(key))));
    },
  };
}
