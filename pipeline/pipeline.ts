/** Steps as data: reconcile renders them to an Argo Workflow, the local runner walks them. Neither knows what they do. */
export interface Step {
  readonly name: string;
  /** The spec's list that the step runs once for each entry of. Steps over the same list run entry by entry, as one chain. */
  readonly forEach?: "sites";
  /** Steps whose results it needs. */
  readonly after: readonly string[];
  /** The values of the spec that the step's outcome depends on: they are its input and part of its identity. */
  readonly params: readonly ("objective" | "model")[];
  /** Which of spec.deadlines bounds one attempt. */
  readonly deadline: "site" | "run";
  /** A human decides here: no function runs. Its result carries the artifacts `findings` and `decision`. */
  readonly gate?: true;
}

export interface Pipeline {
  readonly name: string;
  readonly steps: readonly Step[];
}
