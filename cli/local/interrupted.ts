/** The run cannot continue now. It loses nothing: the same command continues it. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** CamelCase. */
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
