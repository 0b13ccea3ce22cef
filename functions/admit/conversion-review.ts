import { z } from "zod";
import { convert } from "../../crd/conversion.ts";

/** The API server's question (apiextensions.k8s.io/v1): the same objects in another version. */
export const conversionReviewSchema = z.looseObject({
  apiVersion: z.literal("apiextensions.k8s.io/v1"),
  kind: z.literal("ConversionReview"),
  request: z.looseObject({
    uid: z.string(),
    desiredAPIVersion: z.string(),
    objects: z.array(z.record(z.string(), z.unknown())),
  }),
});
type Asked = z.infer<typeof conversionReviewSchema>["request"];

/** All of them, in their order, or none: half an answer is none to the API server. */
export function conversionAnswer({ uid, desiredAPIVersion, objects }: Asked): object {
  const convertedObjects: object[] = [];
  for (const one of objects) {
    const converted = convert(one, desiredAPIVersion);
    if ("problem" in converted) return review({ uid, result: { status: "Failure", message: converted.problem } });
    convertedObjects.push(converted.object);
  }
  return review({ uid, result: { status: "Success" }, convertedObjects });
}

function review(response: object): object {
  return { apiVersion: "apiextensions.k8s.io/v1", kind: "ConversionReview", response };
}
