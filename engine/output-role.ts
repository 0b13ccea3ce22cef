/** Whether an artifact of a run's output step is one of the run's outputs: a role such as `.asked` is for the next run alone. */
export function isOutput(role: string): boolean {
  return !/^\.[a-z]/.test(role);
}
