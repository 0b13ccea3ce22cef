import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Parser } from "htmlparser2";

export interface Sitemap {
  /** Addresses as they are written, in order. */
  readonly pages: readonly string[];
  /** Of an index: other sitemaps. */
  readonly sitemaps: readonly string[];
  /** Bytes that were read, decompressed. */
  readonly bytes: number;
  /** It has more than the limits allow, or ends in the middle. */
  readonly cut: boolean;
}

export interface SitemapLimits {
  readonly bytes: number;
  readonly entries: number;
}

const MAX_ADDRESS = 2_048;

/**
 * Reads a sitemap, compressed or not, as far as the limits go. The parser knows no entities but XML's own five and characters by number,
 * reads no DTD, and fetches nothing.
 */
export async function parseSitemap(body: Uint8Array, limits: SitemapLimits): Promise<Sitemap> {
  const pages: string[] = [];
  const sitemaps: string[] = [];
  const open: string[] = [];
  let address = "";
  let bytes = 0;
  let cut = false;
  const parser = new Parser(
    {
      onopentag(name) {
        open.push(localName(name));
        if (open.at(-1) === "loc") address = "";
      },
      ontext(text) {
        // The address of a picture or a film has a name of its own in its place, but the same tag.
        if (open.at(-1) === "loc" && address.length <= MAX_ADDRESS) address += text;
      },
      onclosetag() {
        const [closed, parent] = [open.pop(), open.at(-1)];
        if (closed !== "loc" || address.trim().length > MAX_ADDRESS) return;
        if (parent === "url") pages.push(address.trim());
        if (parent === "sitemap") sitemaps.push(address.trim());
      },
    },
    { xmlMode: true },
  );
  const text = new TextDecoder();
  try {
    for await (const chunk of contentOf(body)) {
      const part = chunk.subarray(0, limits.bytes - bytes);
      bytes += part.length;
      parser.write(text.decode(part, { stream: true }));
      cut = part.length < chunk.length || pages.length > limits.entries || open.length > MAX_DEPTH;
      if (cut) break;
    }
  } catch {
    // What is no gzip at all, or breaks off.
    cut = true;
  }
  return { pages: pages.slice(0, limits.entries), sitemaps: sitemaps.slice(0, limits.entries), bytes, cut };
}

/** Elements within elements: a sitemap has three, with extensions four. */
const MAX_DEPTH = 20;
/** What is parsed at once: other steps of the process go on in between. */
const CHUNK_BYTES = 64 * 1024;

async function* contentOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body[0] === 0x1f && body[1] === 0x8b) {
    yield* Readable.from([Buffer.from(body)]).pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
    return;
  }
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    yield body.subarray(at, at + CHUNK_BYTES);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1).toLowerCase();
}
