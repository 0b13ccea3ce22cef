import { type Mutation, mutationsOf } from "./mutation.ts";

const MODEL = ["test/integration/model.test.ts"];
const COST = ["test/unit/model-cost.test.ts"];

/** What is paid for, and what is not paid for twice. */
export const MODEL_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/model/model.ts", MODEL, [
    {
      why: "an answer that came between the read and the lease is not paid for again",
      find: "(await context.ledger.answer(hash)) ??\n        (await pay(",
      replace: "(await pay(",
    },
    {
      why: "the workload's ceiling of an answer holds, whatever a step wishes",
      find: "maxOutputTokens: Math.min(model.maxOutputTokens, maxOutputTokens)",
      replace: "maxOutputTokens",
    },
    {
      why: "a question's own ceiling of an answer holds, whatever the workload allows",
      find: "maxOutputTokens: Math.min(model.maxOutputTokens, maxOutputTokens)",
      replace: "maxOutputTokens: model.maxOutputTokens",
    },
    {
      why: "a refusal is no answer",
      find: "if (paid.refusal === undefined) return paid;",
      replace: "if (paid) return paid;",
    },
    {
      why: "a call is made within the budget only",
      find: "      await reserve(ledger, { id, worstUsd, callMs: timeoutMs }, spender);\n",
      replace: "",
    },
    {
      why: "an answer without usage counts as the worst case",
      find: "    (price ? worstUsage(price, await plannedCall(request), request.choice.maxOutputTokens) : UNKNOWN_USAGE);",
      replace: "    UNKNOWN_USAGE;",
    },
    {
      why: "the gateway's cost comes before the price table's",
      find: "costUsd: answer.costUsd ?? (price ? costOf(price, usage) : 0)",
      replace: "costUsd: price ? costOf(price, usage) : 0",
    },
    {
      why: "a retry after two invalid answers asks anew",
      find: "      await context.ledger.forget([first.request, second.request]);\n",
      replace: "",
    },
    {
      why: "an answer that does not match the schema is none",
      find: "return parsed.success ? { answer: parsed.data } : { problem: schemaProblems(parsed.error) };",
      replace: "return { answer: value as T };",
    },
    {
      why: "a budget needs known prices",
      find: "  if (worst !== undefined) return worst;",
      replace: "  if (true) return worst ?? 0;",
    },
    {
      why: "the text of the schema counts towards the worst case",
      find: "[...textsOf(messages), JSON.stringify(schema)]",
      replace: "textsOf(messages)",
    },
    {
      why: "pictures count towards the worst case",
      find: "images: imagesOf(messages)",
      replace: "images: 0",
    },
  ]),
  ...mutationsOf("lib/model/ledger.ts", MODEL, [
    {
      why: "what a step paid is added up",
      find: "calls + 1, cost + ARGV[3], input + ARGV[7], output",
      replace: "calls + 1, ARGV[3] + 0, input + ARGV[7], output",
      tests: ["test/integration/ledger.test.ts"],
    },
    {
      why: "a step's account names no more kinds of calls than a result takes",
      find: "kinds.slice(0, MAX_MODEL_CALLS - 1)",
      replace: "kinds",
      tests: ["test/integration/ledger.test.ts"],
    },
    {
      why: "one process at a time puts the same question",
      find: "askingKey: (request) => `agentic:asking:{${name}}:${request}`",
      replace: "askingKey: (request) => `agentic:asking:{${name}}:${request}${Math.random()}`",
    },
    {
      why: "what is spent leaves no room above the ceiling",
      find: "spent + worst > ceiling then",
      replace: "false then",
    },
    {
      why: "what others have reserved leaves no room above the ceiling",
      find: "spent + reserved + worst > ceiling then",
      replace: "false then",
    },
    {
      why: "a second reservation for the same request replaces the first",
      find: "  elseif fields[i] ~= ARGV[1] then",
      replace: "  else",
      tests: ["test/integration/ledger.test.ts"],
    },
    {
      why: "a workload pays from its own ledger",
      find: "const ledger = ledgerKey(name);",
      replace: "const ledger = `agentic:spent:{${name.length}}`;",
    },
    {
      why: "an answer belongs to the workload that paid",
      find: "`agentic:answer:{${name}}:${request}`",
      replace: "`agentic:answer:{}:${request}`",
    },
    {
      why: "a payment adds to what is spent",
      find: "redis.call('HINCRBY', KEYS[1], 'spent', ARGV[3])\n",
      replace: "",
    },
    {
      why: "a payment drops its reservation",
      find: "redis.call('HDEL', KEYS[1], ARGV[1])\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/model/provider.ts", MODEL, [
    {
      why: "a request that the provider refuses is not repeated",
      find: "if (status >= 400 && status < 500 && !RETRYABLE.has(status))",
      replace: "if (false)",
    },
    {
      why: "too many requests is trouble that passes",
      find: "new Set([408, 409, 425, 429])",
      replace: "new Set([408, 409, 425])",
    },
    {
      why: "a provider that asks for a long pause is left for the next model",
      find: "      if (pauseMs > MAX_PAUSE_MS) break;\n",
      replace: "",
    },
    {
      why: "an answer that the content filter stopped is a refusal",
      find: 'choice.message.refusal || (choice.finish_reason === "content_filter" ? "its content filter stopped it" : undefined)',
      replace: "choice.message.refusal",
    },
    {
      why: "an attempt ends at its timeout",
      find: "AbortSignal.any([signal, timeout])",
      replace: "signal",
    },
    {
      why: "a call ends with its step",
      find: "    if (signal.aborted) throw signal.reason;\n",
      replace: "",
    },
    {
      why: "a negative cost of a gateway is none",
      find: "Number.isFinite(cost) && cost >= 0",
      replace: "Number.isFinite(cost)",
    },
  ]),
  ...mutationsOf("lib/model/cost.ts", COST, [
    {
      why: "no more tokens are cached than there are",
      find: "Math.min(usage.cachedInputTokens, usage.inputTokens)",
      replace: "usage.cachedInputTokens",
    },
    {
      why: "a long context costs more",
      find: "longContext !== undefined && usage.inputTokens > longContext.above ? longContext : undefined",
      replace: "undefined as typeof longContext",
    },
    {
      why: "at worst the whole prompt is written to the cache",
      find: "    cacheWriteTokens: inputTokens,\n",
      replace: "    cacheWriteTokens: 0,\n",
    },
    {
      why: "at worst the dearest of the models answers",
      find: "most = Math.max(most, costOf(price, worstUsage(price, call, choice.maxOutputTokens)));",
      replace: "most = costOf(price, worstUsage(price, call, choice.maxOutputTokens));",
    },
    {
      why: "a picture of unpublished size counts as the largest known",
      find: "price.imageTokens ?? MOST_IMAGE_TOKENS",
      replace: "price.imageTokens ?? 0",
    },
  ]),
  ...mutationsOf("lib/model/prompt.ts", MODEL, [
    {
      why: "data cannot contain its own delimiter",
      find: 'const mark = `data-${sha256(data ?? "").slice(0, 16)}`;',
      replace: 'const mark = "data";',
    },
    {
      why: "the model is told that data gives no instructions",
      find: "content: `${instructions}\\n${rule}`",
      replace: "content: instructions",
    },
  ]),
  ...mutationsOf(
    "lib/model/worst-case.ts",
    ["test/unit/approving.test.ts"],
    [
      {
        why: "approving costs no more than the rest of the budget",
        find: "return Math.min(leftUsd ?? Number.POSITIVE_INFINITY, times * question);",
        replace: "return times * question;",
      },
      {
        why: "the rest of an overdrawn budget is nothing",
        find: "Math.max(0, Number(budgetUsd) - spentUsd)",
        replace: "Number(budgetUsd) - spentUsd",
      },
    ],
  ),
];
