import type { Outcomes } from "../engine/outcomes.ts";
import type { Item } from "../engine/result.ts";
import type { Run } from "../engine/run.ts";
import { itemsOf } from "../engine/walk.ts";

/** What one item of a fan-out cost at all steps over its list, or a step that runs once. */
export interface ItemCost {
  /** As a step's forEach names it. */
  readonly list?: string | undefined;
  readonly item?: string | undefined;
  /** Of a step that runs once. */
  readonly step?: string | undefined;
  /** US dollars. */
  readonly costUsd: number;
}

/** What each item cost, in the order of the stages and of their lists. */
export function itemCosts(run: Run, outcomes: Outcomes): ItemCost[] {
  const costs = new Map<string, ItemCost>();
  for (const stage of run.stages) {
    const { forEach: list } = stage;
    const items = itemsOf(run, stage, outcomes);
    for (const { name, gate } of stage.steps)
      for (const [index, outcome] of (outcomes.get(name) ?? []).entries()) {
        if (!outcome || gate) continue;
        const item = items?.[index];
        const text = item === undefined ? `item ${index}` : itemText(item);
        const key = list === undefined ? name : `${list} ${index}`;
        const costUsd = (costs.get(key)?.costUsd ?? 0) + outcome.usage.costUsd;
        costs.set(key, list === undefined ? { step: name, costUsd } : { list, item: text, costUsd });
      }
  }
  return [...costs.values()];
}

/** Characters of an item's JSON in a line. */
const MAX_ITEM_TEXT = 100;

/** An object with an address by it. */
export function itemText(item: Item): string {
  if (typeof item === "string") return item;
  if (typeof item["url"] === "string") return item["url"];
  const text = JSON.stringify(item);
  return text.length > MAX_ITEM_TEXT ? `${text.slice(0, MAX_ITEM_TEXT)}…` : text;
}
