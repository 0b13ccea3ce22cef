import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import pLimit from "p-limit";
import { TerminalError } from "../errors.ts";
import { outcome } from "./kube-calls.ts";

/** One line that a function wrote. */
export interface PodLine {
  readonly pod: string;
  /** The Knative Service. */
  readonly service: string;
  readonly text: string;
}

const SERVICE_LABEL = "serving.knative.dev/service";
/** The last of a pod's lines: what is older is for whoever collects logs. */
const MAX_LINES = 50_000;
const READS_AT_ONCE = 8;

/**
 * What the functions of a namespace wrote, as far as their pods are still there. @returns undefined where the user may not read it
 * @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason
 */
export async function readPodLogs(
  config: KubeConfig,
  namespace: string,
  sinceSeconds: number,
): Promise<PodLine[] | undefined> {
  const core = config.makeApiClient(CoreV1Api);
  try {
    const listed = await outcome(core.listNamespacedPod({ namespace, labelSelector: SERVICE_LABEL }));
    if (!("value" in listed)) return [];
    const read = pLimit(READS_AT_ONCE);
    const all = await read.map(listed.value.items, async ({ metadata, spec }) => {
      const { name: pod = "", labels = {} } = metadata ?? {};
      // Its first container is the function; the queue-proxy beside it writes of requests alone.
      const container = spec?.containers.find(({ name }) => name !== "queue-proxy")?.name;
      const how = { sinceSeconds, tailLines: MAX_LINES, ...(container ? { container } : {}) };
      const said = await outcome(core.readNamespacedPodLog({ name: pod, namespace, ...how })).catch(notStarted);
      const text = "value" in said ? said.value : "";
      return text
        .split("\n")
        .flatMap((line) => (line === "" ? [] : [{ pod, service: labels[SERVICE_LABEL] ?? "", text: line }]));
    });
    return all.flat();
  } catch (error) {
    if (error instanceof TerminalError && error.reason === "Forbidden") return undefined;
    throw error;
  }
}

/** A pod whose container is still to start has written nothing. */
function notStarted(error: unknown): { refused: "gone" } {
  if (error instanceof TerminalError && error.reason === "BadRequest") return { refused: "gone" };
  throw error;
}
