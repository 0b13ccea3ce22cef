import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { ConnectOverCDPTransport } from "playwright-core";

/** CDP by file descriptors 3 and 4 of a Chromium: JSON, each message ended by a NUL. `close` is to end it. */
export function cdpByPipe(child: ChildProcess, close: () => void): ConnectOverCDPTransport {
  const [, , , toBrowser, fromBrowser] = child.stdio as [null, null, null, Writable, Readable];
  const transport: ConnectOverCDPTransport = {
    send: (message) => void toBrowser.write(`${JSON.stringify(message)}\0`),
    close,
  };
  let parts: Buffer[] = [];
  fromBrowser.on("data", (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, from)) {
      const message = Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
      parts = [];
      from = end + 1;
      // Each in a turn of its own, as from a websocket: Playwright does what one message leads to before it reads the next.
      setImmediate(() => transport.onmessage?.(JSON.parse(message)));
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  });
  child.once("exit", () => transport.onclose?.("Chromium ended"));
  return transport;
}

/** Of a browser that nobody has asked anything yet. */
export function firstAnswer(transport: ConnectOverCDPTransport): Promise<object> {
  const answer = Promise.withResolvers<object>();
  transport.onmessage = answer.resolve;
  transport.send({ id: 0, method: "Browser.getVersion" });
  return answer.promise;
}
