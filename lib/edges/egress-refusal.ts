import { RetryableError, TerminalError } from "../errors.ts";

/** Response header in which the egress proxy names why it refused a request. */
export const EGRESS_HEADER = "agentic-egress";
export type EgressReason =
  | "InvalidToken"
  | "HostNotAllowed"
  | "PortNotAllowed"
  | "TooManyBytes"
  | "ProxyUnreadable"
  | "ProxyRefused"
  | "AddressNotPublic"
  | "HostNotFound"
  | "NameServerUnavailable";
/** Statuses of proxy-chain's own, for a target that cannot be reached; no server sends them. */
const TARGET_UNREACHABLE = { from: 590, to: 599 } as const;

/**
 * What an answer of the egress proxy itself means. Undefined for an answer of the server behind it.
 * `header`: the value of EGRESS_HEADER. `url`: what was asked for.
 */
export function egressRefusal(status: number, header: unknown, url: URL): TerminalError | RetryableError | undefined {
  const host = url.hostname;
  switch (header as EgressReason | undefined) {
    case "HostNotFound":
      return new TerminalError("HostNotFound", `no address is known for ${host}: check the name`);
    case "NameServerUnavailable":
      return new RetryableError("HostNotFound", `${host} could not be resolved just now`, { retryAfterSeconds: 5 });
    case "InvalidToken":
      return new TerminalError(
        "EgressRefused",
        "the egress proxy did not accept the egress token: it has expired, or belongs to another step",
      );
    case "AddressNotPublic":
      if (status === 403) return new TerminalError("EgressRefused", `${host} has an address that is not public`);
      break;
    case "PortNotAllowed":
      if (status === 403)
        return new TerminalError(
          "EgressRefused",
          `port ${portOf(url)} of ${host} is not allowed: name ${host}:${portOf(url)} in the workload's egress.allow`,
        );
      break;
    case "ProxyUnreadable":
      return new RetryableError(
        "EgressUnavailable",
        `the egress proxy cannot read which proxy ${host} is reached by: its EGRESS_ACCESS_KEY is not set, or not reconcile's`,
        { countsAsAttempt: false, retryAfterSeconds: 5 },
      );
    case "ProxyRefused":
      return new TerminalError(
        "EgressRefused",
        `the proxy that ${host} is to be reached by has no address, or one that is not public: correct what is held for this host`,
      );
    case "TooManyBytes":
      if (status === 403) return new TerminalError("EgressRefused", "the step has had as many bytes as a job may have");
      break;
    case "HostNotAllowed":
      if (status === 403)
        return new TerminalError(
          "EgressRefused",
          `${host} is not on the step's list of allowed hosts: name it in the workload's egress.allow`,
        );
      break;
  }
  if (status === 407) return loginMissing();
  if (status >= TARGET_UNREACHABLE.from && status <= TARGET_UNREACHABLE.to)
    return new RetryableError("ConnectionRefused", `${host} takes no connection on port ${portOf(url)}, or ended it`);
  return undefined;
}

export function loginMissing(): TerminalError {
  return new TerminalError(
    "EgressRefused",
    "the egress proxy asks for a login: the step's identity as user name, its egress token as password",
  );
}

export function portOf({ protocol, port }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
