// Options of approve, reject and changes, of `agentic` and `kubectl agentic` alike.

export const COMMENT = "for the steps after the gate and the readers of the outputs";
export const CHANGE = "what is to be changed: part of the input of the steps that run again";

/** Of changes. */
export const CHANGED_STEPS = [
  "--step <name...>",
  "which steps before the gate run again; all that the gate shows when none is named",
] as const;
