import { z } from "zod";
import { DURATION_PATTERN } from "./duration.ts";
import { siteProblem } from "./site.ts";

/**
 * The AgentWorkload: the one source of its type, of the CRD (crd/generate.ts), of its reference page and of what
 * `agentic validate` says. Descriptions here are what `kubectl explain` shows.
 */
const duration = z.string().regex(new RegExp(DURATION_PATTERN), "expected a duration such as 90s, 3m, 24h or 30d");
const decimal = z.string().regex(/^[0-9]{1,9}(\.[0-9]{1,6})?$/, 'expected a decimal number in quotes, such as "0.10"');
/** RFC 1123 label and subdomain, as Kubernetes has them. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const host = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*$/,
    'expected a host name, such as cdn.example.com or "*.example.com"',
  );
const quantities = z.record(z.string(), z.string().max(32));

const site = z
  .string()
  .max(2048)
  .check(({ value, issues }) => {
    const problem = siteProblem(value);
    if (problem) issues.push({ code: "custom", input: value, message: problem });
  })
  .describe("A page to look at: http or https, without user name or password.");

const specSchema = z
  .strictObject({
    objective: z.string().min(1).max(4000).describe("The question that the report answers."),
    sites: z
      .array(site)
      .min(1, "at least one site is needed")
      .max(500, "at most 500 sites")
      .describe("What to look at: 1 to 500 different pages."),
    replicas: z.int().min(1).max(64).default(10).describe("Sites in flight at once."),
    image: z
      .string()
      .min(1)
      .max(512)
      .regex(/^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$/, "expected an image reference")
      .optional()
      .describe("A dedicated agent of your own. Absent: the shared functions."),
    resources: z
      .strictObject({
        requests: quantities.optional().describe("What the dedicated agent is given, as in a container."),
        limits: quantities.optional().describe("What the dedicated agent may use at most, as in a container."),
      })
      .optional()
      .describe("Resources of the dedicated agent."),
    suspend: z
      .boolean()
      .default(false)
      .describe("Hold: nothing new starts, what runs finishes its current node. False goes on where it stopped."),
    model: z
      .strictObject({
        name: z.string().min(1).max(128).default("gpt-4o-mini").describe("The model as LiteLLM names it."),
        fallbacks: z
          .array(z.string().min(1).max(128))
          .max(5)
          .default([])
          .describe("Asked in this order when the model does not answer."),
        maxOutputTokens: z.int().min(64).max(16_384).default(1024).describe("Ceiling of one answer, in tokens."),
      })
      .prefault({})
      .describe("The model that analyzes and writes."),
    budget: z
      .strictObject({
        maxUsd: decimal.describe("US dollars a run may cost: reserved before each call, settled after it."),
      })
      .optional()
      .describe("A hard ceiling. When it is spent the run stops with BudgetExceeded."),
    review: z
      .strictObject({
        required: z.boolean().default(true).describe("Whether a human decides before the report is written."),
        timeout: duration.default("24h").describe("How long the gate waits."),
        onTimeout: z.enum(["Approve", "Reject"]).default("Reject").describe("What happens when nobody decided."),
      })
      .prefault({})
      .describe("The human gate."),
    egress: z
      .strictObject({
        allow: z
          .array(host)
          .max(100)
          .default([])
          .describe("Hosts beyond those of the sites; `*.` in front allows subdomains."),
      })
      .prefault({})
      .describe("What pages may load from elsewhere."),
    tolerate: z
      .strictObject({
        failedSites: z
          .union([
            z.int().min(0).max(500),
            z.string().regex(/^([0-9]|[1-9][0-9]|100)%$/, 'expected a number or a percentage such as "20%"'),
          ])
          .default("20%")
          .describe("How many sites may fail before the run does: a number or a percentage."),
      })
      .prefault({})
      .describe("What a run puts up with."),
    deadlines: z
      .strictObject({
        site: duration.default("3m").describe("For one step on one site."),
        run: duration.optional().describe("For the whole run. Default: 24h past the gate's own timeout."),
      })
      .prefault({})
      .describe("How long things may take."),
    retry: z
      .strictObject({
        limit: z.int().min(0).max(20).default(3).describe("Further attempts at a step after upstream trouble."),
      })
      .prefault({})
      .describe("How upstream trouble is met."),
    freshness: duration.default("24h").describe("How old a succeeded step may be to be used again by a later run."),
    ttlAfterFinished: duration.default("30d").describe("How long a finished run is kept."),
  })
  .describe("What is wanted.");

const usageSchema = z.strictObject({
  inputTokens: z.int().describe("Tokens sent to the model."),
  outputTokens: z.int().describe("Tokens answered by the model."),
  costUsd: z.string().describe("US dollars, a decimal string."),
  browserSeconds: z.number().describe("Seconds of a browser's time."),
});

const statusSchema = z
  .strictObject({
    phase: z
      .enum(["Pending", "Creating", "Running", "AwaitingReview", "Suspended", "Succeeded", "Rejected", "Failed"])
      .describe("Where the run is, in a word; derived from the conditions."),
    readyReplicas: z.int().describe("Sites in flight."),
    sites: z
      .strictObject({
        total: z.int().describe("Sites of the spec."),
        scraped: z.int().describe("Sites captured."),
        analyzed: z.int().describe("Sites analyzed."),
        failed: z.int().describe("Sites given up, with their reason in the report."),
        progress: z.string().describe("analyzed/total, for the printer column."),
      })
      .describe("How far the sites are."),
    conditions: z
      .array(
        z.strictObject({
          type: z
            .enum(["Accepted", "WorkflowCreated", "Analyzed", "Reviewed", "Reported", "Ready"])
            .describe("What it is about."),
          status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
          reason: z.string().max(1024).describe("Why, in a CamelCase word."),
          message: z.string().max(32_768).describe("Why, and what to do about it."),
          lastTransitionTime: z.iso.datetime().describe("When the status last changed."),
          observedGeneration: z.int().optional().describe("The generation of the spec it was judged by."),
        }),
      )
      .describe("What holds, with reasons."),
    workflow: z.string().describe("Name of the Argo Workflow."),
    usage: usageSchema.describe("What the run has cost so far."),
    review: z
      .strictObject({
        run: z.string().optional().describe("The run whose findings they are."),
        digest: z.string().describe("sha256 of the findings."),
        openedAt: z.iso.datetime().optional().describe("Since when it waits."),
        timeoutAt: z.iso.datetime().optional().describe("When spec.review.onTimeout decides."),
        costOfApproving: z.string().optional().describe("US dollars that the report costs at most, a decimal string."),
        decision: z.enum(["approved", "rejected"]).optional().describe("Absent while it waits."),
        by: z.string().optional().describe("Who decided."),
        at: z.iso.datetime().optional().describe("When."),
        comment: z.string().optional().describe("For the report's author and readers."),
      })
      .describe("The gate."),
    report: z.record(z.string(), z.string()).describe("Artifact keys of the report, by format."),
    trace: z.string().describe("Trace id of the run."),
    startedAt: z.iso.datetime().describe("When the run started."),
    finishedAt: z.iso.datetime().describe("When the run ended."),
  })
  .partial()
  .describe("What is.");

export const agentWorkloadSchema = z.strictObject({
  apiVersion: z.literal("agentic.dev/v1alpha1", 'expected "agentic.dev/v1alpha1"'),
  kind: z.literal("AgentWorkload", 'expected "AgentWorkload"'),
  metadata: z.looseObject({
    name: z.string("a name is needed").max(63).regex(subdomain, "expected lower-case letters, digits and dashes"),
    namespace: z.string().max(63).regex(subdomain, "expected lower-case letters, digits and dashes").default("default"),
    uid: z.string().optional(),
  }),
  spec: specSchema,
  status: statusSchema.optional(),
});
export type AgentWorkload = z.infer<typeof agentWorkloadSchema>;
