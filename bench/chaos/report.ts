import { openArtifacts } from "../../lib/edges/artifacts.ts";
import { kubectl } from "../../test/kubernetes/cluster.ts";
import { forwardPort } from "../../test/kubernetes/port-forward.ts";
import { SYSTEM } from "../../test/kubernetes/workload.ts";

const STORE_PORT = 7070;

/** Opens the cluster's object store for reading. @returns the JSON of an artifact */
export async function connectStore(): Promise<(key: string) => Promise<unknown>> {
  const secret = JSON.parse(await kubectl(["-n", SYSTEM, "get", "secret", "agentic-store", "-o", "json"]));
  const login = (name: string): string => Buffer.from(secret.data[name], "base64").toString();
  const address = await forwardPort({ namespace: SYSTEM, name: "store" }, STORE_PORT);
  const artifacts = await openArtifacts({
    url: "s3://agentic-{namespace}",
    s3: {
      endpoint: `http://${address}`,
      region: "us-east-1",
      accessKeyId: login("accessKey"),
      secretAccessKey: login("secretKey"),
    },
  });
  return async (key) => {
    const [namespace = "", uid = ""] = key.split("/");
    return JSON.parse(new TextDecoder().decode(await artifacts.get({ namespace, uid }, key)));
  };
}

/** Fields that tell of the run, and not of the market. */
const OF_THE_RUN = new Set([
  "workload",
  "run",
  "objective",
  "date",
  "digest",
  "at",
  "usage",
  "capturedAt",
  "fetchedAt",
]);

/** Without what differs between two runs over the same pages: names, times, costs, and the keys that hold a workload's uid. */
export function normalised(report: unknown): unknown {
  if (Array.isArray(report)) return report.map(normalised);
  if (typeof report === "string") return report.replaceAll(/[0-9a-f-]{36}\/[0-9a-f]{64}/g, "ARTIFACT");
  if (typeof report !== "object" || report === null) return report;
  const kept = Object.entries(report).filter(([name]) => !OF_THE_RUN.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, normalised(value)]));
}

/** Where two reports differ, as paths; each place in a list is `*`. */
export function differences(one: unknown, other: unknown, at = ""): Set<string> {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return new Set(Object.is(one, other) ? [] : [at]);
  const of = (object: object, name: string): unknown => (object as Record<string, unknown>)[name];
  const found = new Set<string>();
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const path = `${at}/${Array.isArray(one) ? "*" : name}`;
    for (const deeper of differences(of(one, name), of(other, name), path)) found.add(deeper);
  }
  return found;
}
