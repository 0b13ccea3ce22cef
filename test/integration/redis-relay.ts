import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RedisRelay {
  readonly url: string;
  /** Keeps answers back, or whatever passes in either direction, until it is let go. */
  hold(what: "answers" | "everything"): void;
  letGo(): void;
  /** Delivers the next command, and breaks the connection instead of passing its answer. */
  loseNextAnswer(): void;
  /** Brings connections that are made from now on to another server, as a Service does after a failover. */
  redirect(target: string): void;
  close(): Promise<void>;
}

/** Passes bytes between a client and a Redis on a Unix socket, and stands in for a slow or broken network. */
export async function startRedisRelay(first: string): Promise<RedisRelay> {
  let target = first;
  const folder = await mkdtemp(join(tmpdir(), "agentic-relay-"));
  const path = join(folder, "redis.sock");
  const open = new Set<Socket>();
  let held: (() => void)[] = [];
  let holding: "nothing" | "answers" | "everything" = "nothing";
  let losing = false;
  const server = createServer((client) => {
    const upstream = connect(target);
    client.on("data", (command: Buffer) => {
      if (holding === "everything") held.push(() => upstream.write(command));
      else upstream.write(command);
    });
    upstream.on("data", (answer: Buffer) => {
      if (losing) client.destroy();
      else if (holding !== "nothing") held.push(() => client.write(answer));
      else client.write(answer);
      losing = false;
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(path);
  await once(server, "listening");
  return {
    url: `unix://${path}`,
    hold(what) {
      holding = what;
    },
    letGo() {
      holding = "nothing";
      for (const pass of held) pass();
      held = [];
    },
    loseNextAnswer() {
      losing = true;
    },
    redirect(other) {
      target = other;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
