/** A process of the machine that the cluster is made of. */
export type Part = {
  name: string;
  command: string;
  args: string[];
  /** The files that it reads, and what else must be there first. */
  prepare?: () => Promise<void> | void;
  ready: () => Promise<boolean>;
};
