/** Templates and tasks of a Workflow, by what they are for: a prefix each, so that no step's name can collide. */
export const MAIN = "main";
export const END = "end";
export const stepTemplate = (step: string): string => `step-${step}`;
export const gateTemplate = (step: string): string => `gate-${step}`;
/** The suspend node that says how many items a fan-out has. */
export const listTemplate = (stage: string): string => `list-${stage}`;
/** The DAG of a fan-out, and the DAG of one of its items. */
export const eachTemplate = (stage: string): string => `each-${stage}`;
export const itemTemplate = (stage: string): string => `item-${stage}`;

/** Which item of the list a step works on. */
export const INDEX_PARAMETER = "index";
/** How many items a fan-out has. */
export const COUNT_PARAMETER = "count";
/** The one output of each suspend node. */
export const RESULT_PARAMETER = "result";
/** The output that Argo gives a gate at its own timeout, where that approves. */
export const APPROVED_OUTPUT = "approved";

/** Annotation: the pipeline as the run froze it, JSON. */
export const PIPELINE_ANNOTATION = "agentic.dev/pipeline";
/** Annotation: reconcile's signature of it, in base64 (seal.ts). */
export const SEAL_ANNOTATION = "agentic.dev/pipeline-seal";
/** Annotation: the run that it is compared with (engine/comparison.ts), JSON. */
export const COMPARISON_ANNOTATION = "agentic.dev/compared-with";
/** Annotation: sha256 of the last accepted spec, whose canonical JSON is in the object store. */
export const SPEC_ANNOTATION = "agentic.dev/spec";
/** Annotation: engine/run.ts termsOf of that spec. */
export const TERMS_ANNOTATION = "agentic.dev/terms";
/** Annotation: its change is what Argo sees of a nudge, its value is when that was. */
export const NUDGED_AT = "agentic.dev/nudged-at";
/** Annotation: reconcile stopped the Workflow, for the spec asked for another run. */
export const SUPERSEDED = "agentic.dev/superseded";
/** Which workload a Workflow belongs to. */
export const WORKLOAD_LABEL = "agentic.dev/workload";
