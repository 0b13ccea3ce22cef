import { z } from "zod";
import { valuesSchema } from "./values.ts";

/** values.schema.json: Helm says of each wrong value where it is. Helm's own `global` is let through. */
export function chartSchema(): object {
  const schema = z.toJSONSchema(valuesSchema, { target: "draft-7", reused: "inline" }) as Record<string, unknown>;
  const properties = { ...(schema["properties"] as object), global: { type: "object" } };
  return { ...schema, title: "Values of the chart agentic", properties };
}
