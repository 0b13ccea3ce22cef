import { z } from "zod";

const objectSchema = z.looseObject({ kind: z.string(), metadata: z.looseObject({}) });
const askedSchema = z.looseObject({
  uid: z.string(),
  userInfo: z.looseObject({ username: z.string().optional() }).optional(),
  dryRun: z.boolean().nullish(),
});
/** Who asks, and whether only to see what would be. */
export type Asked = z.infer<typeof askedSchema>;
export type AdmittedObject = z.infer<typeof objectSchema>;

const reviewOf = <T extends z.ZodType>(request: T) =>
  z.looseObject({ apiVersion: z.literal("admission.k8s.io/v1"), kind: z.literal("AdmissionReview"), request });

/** The API server's question (admission.k8s.io/v1), as far as an answer needs it: an object to be judged. */
export const admissionReviewSchema = reviewOf(
  askedSchema.extend({ operation: z.enum(["CREATE", "UPDATE"]), object: objectSchema }),
);

/** Of one that is not judged here. What is deleted is `oldObject`. */
export const recordReviewSchema = reviewOf(
  z.discriminatedUnion("operation", [
    askedSchema.extend({ operation: z.literal("CREATE"), object: objectSchema }),
    askedSchema.extend({ operation: z.literal("DELETE"), oldObject: objectSchema }),
  ]),
);

export interface Judgement {
  /** Each ends the request; all are said. */
  readonly problems: readonly string[];
  /** What is legal and unwise; kubectl prints each. */
  readonly warnings: readonly string[];
}

/** The API server cuts a warning at 256 characters, and all of them at 4,096. */
const MAX_WARNING = 256;
const MAX_WARNINGS = 16;
/** A message of an invalid object; the rest of its problems are counted. */
const MAX_PROBLEMS = 50;

/** The answer to a request, as an AdmissionReview. */
export function admissionAnswer(uid: string, { problems, warnings }: Judgement): object {
  const shown = problems.slice(0, MAX_PROBLEMS);
  const rest = problems.length - shown.length;
  const message = [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n");
  const status = { code: 422, reason: "Invalid", message: problems.length === 1 ? message : `\n${message}` };
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: problems.length === 0,
      ...(problems.length > 0 ? { status } : {}),
      ...(warnings.length > 0
        ? { warnings: warnings.slice(0, MAX_WARNINGS).map((text) => text.slice(0, MAX_WARNING)) }
        : {}),
    },
  };
}
