import { Server } from "proxy-chain";

/** What a proxy that is not ours was asked. */
export interface Forwarded {
  readonly to: string;
  readonly login: string;
  /** Names and values of the request's headers. */
  readonly headers: string;
}

export interface UpstreamProxy {
  readonly port: number;
  readonly forwarded: Forwarded[];
  close(): Promise<void>;
}

/** A real proxy, as a namespace may name one for a host. It wants this login, and reaches every name at one port of loopback. */
export async function startUpstreamProxy(login: string, targetPort: number): Promise<UpstreamProxy> {
  const forwarded: Forwarded[] = [];
  const server = new Server({
    host: "127.0.0.1",
    port: 0,
    prepareRequestFunction({ request, username, password, hostname, port, isHttp }) {
      forwarded.push({
        to: `${hostname}:${port}`,
        login: `${username}:${password}`,
        headers: request.rawHeaders.join("\n"),
      });
      if (`${username}:${password}` !== login) return { requestAuthentication: true };
      const target = `127.0.0.1:${targetPort}`;
      const { pathname, search } = URL.parse(request.url ?? "") ?? { pathname: "", search: "" };
      request.url = isHttp ? `http://${target}${pathname}${search}` : target;
      return {};
    },
  });
  await server.listen();
  return { port: server.port, forwarded, close: () => server.close(true) };
}
