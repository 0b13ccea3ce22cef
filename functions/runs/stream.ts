import type { Context } from "hono";
import { RetryableError } from "../../lib/errors.ts";
import { auditDenied } from "./denied.ts";
import type { Limits, PagesDeps, Reader } from "./deps.ts";
import type { Viewer } from "./feed.ts";
import { type Shown, updateSince } from "./page/live.ts";

/** What a reader sees now; undefined: nothing, it is not there or not theirs to read. */
export type Look = (reader: Reader, viewer: Viewer) => Promise<Shown | undefined>;

/** Bytes that wait for a client which does not read. It gets nothing more until it does. */
const MAX_WAITING_BYTES = 256 * 1024;

/** Counts the streams of this process. */
export interface Places {
  /** @returns gives the place back; undefined: there is none */
  take(reader: string): (() => void) | undefined;
}

export function createPlaces({ streams, streamsOfReader }: Limits): Places {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(reader) {
      const own = taken.get(reader) ?? 0;
      if (all >= streams || own >= streamsOfReader) return undefined;
      all++;
      taken.set(reader, own + 1);
      let isGiven = false;
      return () => {
        if (isGiven) return;
        isGiven = true;
        all--;
        const left = (taken.get(reader) ?? 1) - 1;
        if (left > 0) taken.set(reader, left);
        else taken.delete(reader);
      };
    },
  };
}

type StreamDeps = Pick<PagesDeps, "feed" | "readerOf" | "log" | "draining" | "limits">;

/**
 * Server-sent events: what changes on a page. Asks again, with each change and after a while without one, who reads and what they may, and
 * ends when they may no longer; when its life is over; and at once when this process drains.
 */
export async function stream(c: Context, deps: StreamDeps, places: Places, look: Look): Promise<Response> {
  const { feed, readerOf, log, draining, limits } = deps;
  const reader = await readerOf(c);
  if (!reader) return c.body(null, 401);
  const giveBack = places.take(reader.name);
  if (!giveBack) {
    log.warn({ user: reader.name, reason: "TooManyStreams" }, "stream refused");
    return c.body(null, 503, { "retry-after": "10" });
  }
  const gone = new AbortController();
  const end = AbortSignal.any([gone.signal, draining, AbortSignal.timeout(limits.lifeMs)]);
  let wake = (): void => undefined;
  let hasChanged = false;
  let viewer: Viewer;
  try {
    viewer = await feed.look(() => {
      hasChanged = true;
      wake();
    });
  } catch (error) {
    giveBack();
    throw error;
  }
  /** Until something changes, or it is time to ask again. Changes that come close together are one. */
  const nextLook = async (): Promise<void> => {
    await until((done) => {
      wake = done;
      if (hasChanged) done();
    }, limits.recheckMs);
    if (hasChanged) await until(() => undefined, limits.gatherMs);
    hasChanged = false;
  };
  const until = (begin: (done: () => void) => void, ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (end.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        end.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      end.addEventListener("abort", done);
      begin(done);
    });
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const encoder = new TextEncoder();
        const send = (text: string): void => controller.enqueue(encoder.encode(text));
        const reads = (): boolean => (controller.desiredSize ?? 0) > 0;
        // By the clock alone: sent when something changed elsewhere, it would tell of what its reader may not read.
        const beat = setInterval(() => {
          if (reads()) send(":\n\n");
        }, limits.recheckMs);
        const follow = async (): Promise<void> => {
          let before: ReadonlyMap<string, string> = new Map();
          send("retry: 3000\n\n");
          while (!end.aborted) {
            const now = await readerOf(c);
            const shown = now && (await look(now, viewer));
            if (end.aborted) return;
            if (!shown) {
              auditDenied(log, c, "NotAllowed", reader.name);
              send("event: gone\ndata:\n\n");
              return;
            }
            // Who does not read misses nothing: the next update is made from what was sent last.
            if (reads()) {
              const update = updateSince(before, shown);
              if (update) {
                send(`data: ${JSON.stringify(update)}\n\n`);
                before = new Map(shown.blocks.map((block) => [block.id, block.html]));
              }
            }
            await nextLook();
          }
        };
        void follow()
          .catch((error: unknown) => {
            // Permission that cannot be asked for is none. The browser comes again.
            log[error instanceof RetryableError ? "info" : "error"]({ err: error }, "stream of runs failed");
          })
          .finally(() => {
            clearInterval(beat);
            viewer.close();
            giveBack();
            if (gone.signal.aborted) return;
            // A client that does not read would keep the connection, and this process, for as long as it likes.
            if (reads()) controller.close();
            else controller.error(new Error("the client does not read"));
          });
      },
      cancel: () => gone.abort(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
  );
  return c.body(body, 200, {
    "content-type": "text/event-stream",
    // What ends when this process drains shall not stay open for a next request.
    connection: "close",
  });
}
