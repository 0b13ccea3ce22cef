/** A process that is busy with a page for many minutes. Says when the process that it started has begun. */
import { setTimeout as sleep } from "node:timers/promises";
import { createPagePool } from "../../functions/analyze/page-pool.ts";
import { ENDLESS } from "../slow-pages.ts";

const pages = createPagePool({ timeoutMs: 10_000, heapMb: 128 });
const signal = new AbortController().signal;
const page = {
  html: "",
  url: "http://tidy.test/",
  title: "Tidy",
  description: "",
  screenshot: "u/s.png",
  at: "2026-11-20T10:00:00.000Z",
};
await pages.run("extract", [page], signal);
// The same process goes on with it.
const endless = pages.run("merge", ENDLESS, signal);
await sleep(1_000);
process.stdout.write("busy");
await endless;
