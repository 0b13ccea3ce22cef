import { setTimeout as sleep } from "node:timers/promises";
import { CloudEvent, HTTP } from "cloudevents";
import { z } from "zod";
import { STEP_REQUESTED, type StepRequest, type StepResult, stepResultSchema } from "../../lib/step.ts";
import { subjectOf } from "../../lib/step-app.ts";

/** A run that cannot go on now, and loses nothing by it: the same command goes on. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** A step's function behind its HTTP contract. */
export type StepFunction = (request: Request) => Response | Promise<Response>;

export interface BrokerOptions {
  readonly functions: Readonly<Record<string, StepFunction>>;
  readonly mintToken: (id: string, request: Omit<StepRequest, "token">) => Promise<string>;
  readonly signal: AbortSignal;
  /** How long a store may be away before the run is given up for now, in ms. */
  readonly patienceMs: number;
}

/** Not the step's own trouble: a redelivery can only help once the store is back. */
const STORE_REASONS = new Set(["StoreUnavailable", "ArtifactStoreUnavailable"]);

const completedSchema = z.object({ data: stepResultSchema.extend({ request: z.string() }) });

/** Delivers a step's request until its function answers, as the cluster's Broker does: 503 is delivered again after Retry-After. */
export function createBroker(
  options: BrokerOptions,
): (id: string, request: Omit<StepRequest, "token">) => Promise<StepResult> {
  return async (id, request) => {
    const send = options.functions[request.step];
    if (!send) throw new Error(`no function for step ${request.step}`);
    let storeAwaySince: number | undefined;
    for (;;) {
      options.signal.throwIfAborted();
      const response = await send(await toRequest(id, request, options));
      if (response.status === 200) {
        const { request: _id, ...result } = completedSchema.parse(await response.json()).data;
        return result;
      }
      const { reason, message } = why(response);
      if (response.status !== 503) throw new Error(`${request.step} answered ${response.status} ${reason}: ${message}`);
      storeAwaySince = STORE_REASONS.has(reason) ? (storeAwaySince ?? Date.now()) : undefined;
      if (storeAwaySince !== undefined && Date.now() - storeAwaySince >= options.patienceMs)
        throw new Interrupted(reason, message);
      await sleep(Number(response.headers.get("retry-after") ?? 1) * 1000, undefined, { signal: options.signal });
    }
  };
}

async function toRequest(id: string, request: Omit<StepRequest, "token">, options: BrokerOptions): Promise<Request> {
  const event = new CloudEvent({
    id,
    type: STEP_REQUESTED,
    source: "/agentic/run",
    subject: subjectOf(request),
    step: request.step,
    data: { ...request, token: await options.mintToken(id, request) },
  });
  const message = HTTP.binary(event);
  return new Request(`http://${request.step}/`, {
    method: "POST",
    headers: message.headers as Record<string, string>,
    body: message.body as string,
  });
}

function why(response: Response): { reason: string; message: string } {
  return {
    reason: response.headers.get("agentic-reason") ?? "Unknown",
    message: decodeURIComponent(response.headers.get("agentic-message") ?? ""),
  };
}
