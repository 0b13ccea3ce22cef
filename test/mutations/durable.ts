import { type Mutation, mutationsOf } from "./mutation.ts";

const DURABLE = ["test/integration/durable.test.ts"];
const SAVER = ["test/integration/saver.test.ts", "test/integration/saver-scenarios.test.ts"];
const STORE_LOGIN = ["test/integration/store-login.test.ts"];
const REDIS_TLS = ["test/unit/redis-tls.test.ts", "test/integration/redis-tls.test.ts"];
const REQUESTS = ["test/integration/requests.test.ts"];

/** Leases, fences, records, requests, results. */
export const DURABLE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/durable/checkpoint-scripts.ts", DURABLE, [
    {
      why: "a checkpoint is refused when another start has followed",
      find: "export const PUT = `${FENCED}${STORE_WRITES}",
      replace: "export const PUT = `${STORE_WRITES}",
    },
    {
      why: "pending writes are refused when another start has followed",
      find: "export const PUT_WRITES = `${FENCED}${STORE_WRITES}",
      replace: "export const PUT_WRITES = `${STORE_WRITES}",
    },
    {
      why: "an unchanged channel is copied from the parent only at the same version",
      find: "if old[channel] and old[channel][1] == version then",
      replace: "if old[channel] then",
      tests: SAVER,
    },
    {
      why: "a task that runs again keeps its first writes",
      find: "redis.call(ARGV[i] == 'set' and 'HSET' or 'HSETNX', checkpoint",
      replace: "redis.call('HSET', checkpoint",
      tests: SAVER,
    },
  ]),
  ...mutationsOf("lib/durable/saver.ts", SAVER, [
    {
      why: "an error or interrupt of a task replaces its earlier one",
      find: 'index >= 0 ? "keep" : "set"',
      replace: '"keep"',
    },
  ]),
  ...mutationsOf("lib/durable/graph-shape.ts", DURABLE, [
    {
      why: "a step goes on from checkpoints of a graph of its own shape only",
      find: "return tuple && this.#isOfShape(tuple) ? tuple : undefined;",
      replace: "return tuple;",
    },
    {
      why: "the order of nodes is part of a graph's shape",
      find: "[Object.keys(nodes), [...edges], [...waitingEdges], branchesOf]",
      replace: "[Object.keys(nodes)]",
    },
  ]),
  ...mutationsOf("lib/durable/step-scripts.ts", DURABLE, [
    {
      why: "an end is refused when another start has followed",
      find: "if redis.call('HGET', KEYS[1], 'running') ~= ARGV[1] then return redis.error_reply('FENCED') end\ndelete_checkpoints",
      replace: "delete_checkpoints",
    },
    {
      why: "the first end stands",
      find: "if redis.call('HEXISTS', KEYS[1], 'digest') == 1 then return end_of(KEYS[1]) end\nif redis.call('HGET'",
      replace: "if redis.call('HGET'",
    },
    {
      why: "checkpoints go with the end",
      find: "delete_checkpoints(KEYS[3], KEYS[4], ARGV[7])\n",
      replace: "",
    },
    {
      why: "a finished step gives its lease back",
      find: "release(KEYS[2], ARGV[2])\nreturn record_end",
      replace: "return record_end",
    },
    {
      why: "the record of an end expires",
      find: "  redis.call('PEXPIRE', record, keep)\n",
      replace: "",
    },
    {
      why: "a failure is refused when another start has followed",
      find: "  if redis.call('HGET', KEYS[1], 'running') ~= ARGV[1] then return redis.error_reply('FENCED') end\n  add(KEYS[1], 'failed', ARGV[1])",
      replace: "  add(KEYS[1], 'failed', ARGV[1])",
    },
    {
      why: "a failure that is told twice is counted once",
      find: "if not includes(KEYS[1], 'failed', ARGV[1]) then",
      replace: "if true then",
    },
    {
      why: "crashes count towards the retry limit of failures",
      find: "count(KEYS[1], 'failed') + count(KEYS[1], 'crashed')",
      replace: "count(KEYS[1], 'failed')",
    },
    {
      why: "a start whose process is gone counts as a crash",
      find: "if running and running ~= ARGV[1] then add(KEYS[1], 'crashed', running) end",
      replace: "",
    },
    {
      why: "a start that finds itself under way, for its answer was lost, is no crash",
      find: "if running and running ~= ARGV[1] then",
      replace: "if running then",
    },
    {
      why: "a start that is given back later was no crash",
      find: "    if first then redis.call('HSET', record, 'crashed', string.sub(crashed, 1, first - 1) .. string.sub(crashed, last + 1)) end\n",
      replace: "",
    },
    {
      why: "a start gives back only itself",
      find: "if redis.call('HGET', record, 'running') == token then redis.call('HDEL', record, 'running') end",
      replace: "redis.call('HDEL', record, 'running')",
    },
    {
      why: "only the result that was found lost is made again",
      find: "if digest and digest == ARGV[6] then",
      replace: "if digest and ARGV[6] ~= '' then",
      tests: ["test/integration/step-store.test.ts"],
    },
    {
      why: "the record of a step that is done again does not expire while it runs",
      find: "  redis.call('PERSIST', KEYS[1])\n",
      replace: "",
    },
    {
      why: "a result from outside does not count while an instance works on the step",
      find: "if redis.call('EXISTS', KEYS[2]) == 1 then",
      replace: "if false then",
      tests: REQUESTS,
    },
    {
      why: "a result from outside does not replace the first end",
      find: "if redis.call('HEXISTS', KEYS[1], 'digest') == 1 then return end_of(KEYS[1]) end\nif redis.call('EXISTS'",
      replace: "if redis.call('EXISTS'",
      tests: REQUESTS,
    },
    {
      why: "a step that is forgotten takes the lease from whoever works on it",
      find: "redis.call('UNLINK', KEYS[1], KEYS[2])\ndelete_checkpoints",
      replace: "redis.call('UNLINK', KEYS[1])\ndelete_checkpoints",
      tests: ["test/integration/step-store.test.ts"],
    },
  ]),
  ...mutationsOf(
    "lib/durable/host-turns.ts",
    ["test/integration/host-turns.test.ts"],
    [
      { why: "a turn has one holder", find: "if held or redis.call('ZRANGE'", replace: "if redis.call('ZRANGE'" },
      {
        why: "first come, first served",
        find: "or redis.call('ZRANGE', KEYS[2], 0, 0)[1] ~= ARGV[1] then",
        replace: "then",
      },
      { why: "whoever is gone waits no longer", find: "'-inf', now - ARGV[3])", replace: "'-inf', 0)" },
      {
        why: "whoever stops waiting leaves the queue",
        find: "await quietly(runScript(redis, LEAVE, [waiting, seen], [token]));\n",
        replace: "",
        equivalent: "who does not ask is gone after three seconds: this only spares them",
      },
      {
        why: "a turn ends without its holder",
        find: "'PX', ARGV[2])\nredis.call('ZREM', KEYS[2]",
        replace: "'PX', 1000000)\nredis.call('ZREM', KEYS[2]",
      },
      {
        why: "another's turn is not ended",
        find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end\n",
        replace: "",
      },
      { why: "a host has a pause between two visits", find: "if tonumber(ARGV[2]) > 0 then", replace: "if false then" },
      { why: "a namespace's agents use their own keys", find: "namespace === undefined ?", replace: "true ?" },
    ],
  ),
  ...mutationsOf("lib/durable/lease.ts", DURABLE, [
    {
      why: "a lease has one holder",
      find: "  if held and held ~= value and held ~= from then return held end\n",
      replace: "",
    },
    {
      why: "a lease is found as one's own when it is asked for twice",
      find: "if held and held ~= value and held ~= from then",
      replace: "if held and held ~= from then",
    },
    {
      why: "the lease of a holder that is known to be dead is taken over",
      find: "if held and held ~= value and held ~= from then",
      replace: "if held and held ~= value then",
    },
    {
      why: "a lease is released by its holder only",
      find: "if redis.call('GET', lease) == value then redis.call('DEL', lease) end",
      replace: "redis.call('DEL', lease)",
    },
    {
      why: "a lease is renewed by its holder only",
      find: "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0",
      replace: "redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1",
      tests: ["test/integration/lease.test.ts"],
    },
    {
      why: "a renewal that is refused loses the lease",
      find: 'else lose("the lease ended, and another instance may work on this now");',
      replace: "",
    },
    {
      why: "a Redis that does not answer loses the lease before it ends",
      find: "    } catch {\n      loseIfOverdue();\n    }",
      replace: "    } catch {}",
    },
    {
      why: "a lease whose answer came after its end is lost at once",
      find: "  timer.unref();\n  loseIfOverdue();",
      replace: "  timer.unref();",
    },
  ]),
  ...mutationsOf("lib/durable/redis-step-store.ts", DURABLE, [
    {
      why: "a start whose answer is lost is given back",
      find: "    giveBackEventually(start);\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/durable/redis-started-step.ts", DURABLE, [
    {
      why: "a start that Redis could not take back is given back once it answers",
      find: "await giveBack(this.#start).catch(() => giveBackEventually(this.#start));",
      replace: "await giveBack(this.#start).catch(() => undefined);",
    },
  ]),
  ...mutationsOf("lib/durable/run.ts", DURABLE, [
    {
      why: "a step that fails says what it paid",
      find: 'const saysNothing = result.outcome === "failed" && result.usage.costUsd === 0;',
      replace: "const saysNothing = false;",
    },
    {
      why: "which calls a step paid for is the ledger's to say",
      find: "const { modelCalls: _calls, egress: _egress, ...result } = ended;",
      replace: "const { egress: _egress, ...result } = ended;",
    },
    {
      why: "what a step did on the network is the egress proxy's to say",
      find: "const { modelCalls: _calls, egress: _egress, ...result } = ended;",
      replace: "const { modelCalls: _calls, ...result } = ended;",
    },
    {
      why: "a step that kills its process again and again ends",
      find: "crashedResult(step, started) ?? ",
      replace: "",
    },
    {
      why: "retryLimit starts may crash, and not one fewer",
      find: "starts <= context.claims.retryLimit",
      replace: "starts < context.claims.retryLimit",
    },
    {
      why: "the record never names a result that is not stored",
      find: "await options.results.put(workload, result);",
      replace: 'await options.results.put(workload.uid, result).catch(() => "0".repeat(64));',
    },
    {
      why: "a start that fails without an end is given back",
      find: "      await started.release();\n      throw error;",
      replace: "      throw error;",
    },
    {
      why: "a result whose bytes are gone is made again",
      find: "if (digest !== lostResult && wasEnded) return run(step, digest);",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/durable/attempt.ts", DURABLE, [
    {
      why: "past its deadline no step starts",
      find: '  if (left <= 0) return failedResult("DeadlineExceeded", "the deadline had passed before the step could start");\n',
      replace: "",
    },
    {
      why: "the deadline ends a step that runs",
      find: "AbortSignal.any([started.lost, step.signal, deadline])",
      replace: "AbortSignal.any([started.lost, step.signal])",
    },
    {
      why: "a drain ends a step that runs",
      find: "AbortSignal.any([started.lost, step.signal, deadline])",
      replace: "AbortSignal.any([started.lost, deadline])",
    },
    {
      why: "a lost lease ends a step that runs",
      find: "AbortSignal.any([started.lost, step.signal, deadline])",
      replace: "AbortSignal.any([step.signal, deadline])",
    },
    {
      why: "what aborted the step decides, and not what a node made of it",
      find: "    if (signal.aborted) {",
      replace: "    if (false) {",
    },
    {
      why: "trouble that is not the step's own uses up no attempt",
      find: "    if (error instanceof RetryableError && !error.countsAsAttempt) throw error;\n",
      replace: "",
    },
    {
      why: "retryLimit attempts may fail beyond the first, and not one fewer",
      find: "if (attempts <= context.claims.retryLimit) throw error;",
      replace: "if (attempts < context.claims.retryLimit) throw error;",
    },
    {
      why: "a step that was started before goes on from its checkpoint",
      find: "startedBefore ? await checkpointer.getTuple({ configurable }) : undefined",
      replace: "undefined",
    },
    {
      why: "interrupt() ends the step with a sentence",
      find: "  if (INTERRUPT in state)",
      replace: "  if (false)",
    },
    {
      why: "a graph that does not end ends its step",
      find: 'if (error.name === "GraphRecursionError")',
      replace: "if (false)",
    },
  ]),
  ...mutationsOf(
    "lib/edges/tenant-login/redis.ts",
    ["test/integration/tenant-login.test.ts"],
    [
      {
        why: "a tenant reaches the steps of its namespace only",
        find: "return [`~agentic:{${namespace}.*`, ...ledgers];",
        replace: "return [`~agentic:{${namespace}*`, ...ledgers];",
      },
      {
        why: "a tenant reaches the budgets of its namespace only",
        find: "`~agentic:${what}:{${namespace}.*`",
        replace: "`~agentic:${what}:*`",
      },
      { why: "a login that is made again has no rights from before", find: '"reset", "on"', replace: '"on"' },
      { why: "a tenant's commands are listed", find: '  "-@all",\n', replace: '  "+@all",\n' },
      { why: "keys of others are not listed", find: '"-scan", "-randomkey"', replace: '"-randomkey"' },
      { why: "no key is drawn at random", find: '"-randomkey", "-dbsize"', replace: '"-dbsize"' },
      { why: "a tenant ends nobody's script", find: '"-script", "-client"', replace: '"-client"' },
      { why: "a tenant listens to nobody's keys", find: '"-script", "-client"', replace: '"-script"' },
      {
        why: "no code is left for others to run",
        find: 'const SHARED_CODE = ["-function", ',
        replace: "const SHARED_CODE = [",
      },
    ],
  ),
  ...mutationsOf(
    "lib/edges/tenant-login.ts",
    ["test/integration/tenant-login.test.ts", "test/integration/store-login.test.ts"],
    [
      { why: "a namespace has a password of its own", find: "`${store}/${namespace}`", replace: "store" },
      { why: "a store has a password of its own", find: "`${store}/${namespace}`", replace: "namespace" },
    ],
  ),
  ...mutationsOf(
    "compose-reconcile.ts",
    ["test/integration/main.test.ts"],
    [
      {
        why: "no login is made for a bucket that is all namespaces'",
        find: "  if (!s3 || !buckets?.perNamespace)\n    throw",
        replace: "  if (!s3 || !buckets)\n    throw",
      },
    ],
  ),
  ...mutationsOf("config/store.yaml", STORE_LOGIN, [
    { why: "a login that is removed is closed at once", find: "            - --iam-cache-disable\n", replace: "" },
    {
      why: "accounts are made where agents have no reason to be",
      find: '            - --admin-port\n            - ":7071"\n',
      replace: "",
    },
  ]),
  ...mutationsOf("lib/edges/tenant-login/versitygw.ts", STORE_LOGIN, [
    {
      why: "a tenant reaches what begins with its namespace only, and uploads no form, whose key is not judged",
      find: "Resource: [`arn:aws:s3:::${buckets.of(namespace)}/${namespace}/*`],",
      replace: "Resource: [`arn:aws:s3:::${buckets.of(namespace)}`, `arn:aws:s3:::${buckets.of(namespace)}/*`],",
    },
    {
      why: "a tenant only reads and writes",
      find: 'Action: ["s3:GetObject", "s3:PutObject"],',
      replace: 'Action: ["s3:*"],',
    },
    {
      why: "the policy is for the tenant",
      find: "Principal: { AWS: [tenantUser(namespace)] },",
      replace: 'Principal: "*",',
    },
    {
      why: "an account has no rights of its own",
      find: "<Secret>${secret}</Secret><Role>user</Role></Account>",
      replace: "<Secret>${secret}</Secret><Role>admin</Role></Account>",
    },
    {
      why: "an account that is put right loses the rights that it had",
      find: "<Secret>${secret}</Secret><Role>user</Role></MutableProps>",
      replace: "<Secret>${secret}</Secret></MutableProps>",
    },
    {
      why: "a login that does not work is made anew",
      find: "const right = await Promise.all([works(namespace), hasPolicy(namespace)]);",
      replace: "const right = await Promise.all([hasPolicy(namespace)]);",
    },
    {
      why: "rights that are not as they should be are put right",
      find: "const right = await Promise.all([works(namespace), hasPolicy(namespace)]);",
      replace: "const right = await Promise.all([works(namespace)]);",
    },
    {
      why: "a login that cannot be made is said",
      find: "if (answer.status < 200 || answer.status >= 300) throw",
      replace: "if (false) throw",
    },
  ]),
  ...mutationsOf(
    "engine/artifact-key.ts",
    ["test/unit/engine/artifact-key.test.ts", "test/integration/artifacts.test.ts"],
    [
      {
        why: "no scope leads out of the store",
        find: "return SCOPE_FORM.test(scope) ? scope : undefined;",
        replace: "return scope;",
      },
      {
        why: "no key leads out of its workload's scope",
        find: " && FILE_FORM.test(key.slice(scope.length + 1));",
        replace: ";",
      },
      { why: "a key is of its workload", find: "key.startsWith(`${scope}/`) && ", replace: "" },
    ],
  ),
  ...mutationsOf(
    "lib/edges/artifacts/bucket.ts",
    ["test/unit/buckets.test.ts"],
    [
      {
        why: "two long namespaces have two buckets",
        find: ".${sha256(namespace).slice(0, HASH_LENGTH)}`",
        replace: "`",
      },
      {
        why: "a long namespace's bucket is no other's",
        find: "`${prefix}${kept}.${sha256(",
        replace: "`${prefix}${kept}-${sha256(",
      },
    ],
  ),
  ...mutationsOf("lib/edges/redis-tls.ts", REDIS_TLS, [
    {
      why: "a certificate is checked against REDIS_CA",
      find: "return authorities === undefined ? {} : { ca: authorities };",
      replace: "return {};",
    },
    {
      why: "a certificate that is not in order ends the connection",
      find: "return authorities === undefined ? {} : { ca: authorities };",
      replace: "return { ca: authorities ?? [], rejectUnauthorized: false };",
    },
    {
      why: "nobody who gave an authority talks in plain text",
      find: 'if (ca !== undefined && url.startsWith("redis:"))',
      replace: "if (false)",
    },
    {
      why: "an authority that is none is said as such",
      find: "ca === undefined ? undefined : authoritiesIn(ca)",
      replace: "ca",
    },
    {
      why: "authorities without a line break between them are two",
      find: 'return all.join("\\n");',
      replace: "return bundle;",
    },
    { why: "none of several authorities is left out", find: "all.every((pem)", replace: "all.some((pem)" },
    { why: "an unknown authority is said", find: "if (UNKNOWN_AUTHORITY.has(code)) {", replace: "if (false) {" },
    { why: "another name is said", find: 'if (code === "ERR_TLS_CERT_ALTNAME_INVALID")', replace: "if (false)" },
    { why: "an expired certificate is said", find: 'if (code === "CERT_HAS_EXPIRED")', replace: "if (false)" },
    { why: "a wrong clock is said", find: 'if (code === "CERT_NOT_YET_VALID")', replace: "if (false)" },
    {
      why: "a server with TLS is said to who has none",
      find: 'if (url.startsWith("redis:") && (',
      replace: "if (false && (",
    },
    {
      why: "a server without TLS is said to who wants it",
      find: 'if (url.startsWith("rediss:") && (',
      replace: "if (false && (",
    },
    {
      why: "a server that was there is not said to want another scheme",
      find: "  if (answered) return message;\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/edges/redis.ts", REDIS_TLS, [
    { why: "a client uses TLS as the address says", find: "    ...(tls && { tls }),\n", replace: "" },
    {
      why: "commands say why there is no connection",
      find: "      reject(why ? new Error(error.message, { cause: why }) : error);",
      replace: "      reject(error);",
    },
    {
      why: "what is over is said no more",
      find: "    redis.trouble = undefined;\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/durable/stack-saver.ts", REDIS_TLS, [
    { why: "so does upstream's saver", find: ", ...(tls && { ...tls, tls: true as const })", replace: "" },
  ]),
  ...mutationsOf(
    "config/redis.yaml",
    ["test/unit/redis-config.test.ts"],
    [
      {
        why: "Redis has no port without TLS",
        find: '            - --port\n            - "0"\n',
        replace: "",
      },
    ],
  ),
  ...mutationsOf("lib/edges/redis.ts", DURABLE, [
    {
      why: "a Sentinel is refused",
      find: "if (/redis_mode:sentinel/.test(info))",
      replace: "if (false)",
      tests: ["test/integration/redis-trouble.test.ts"],
    },
    {
      why: "a refused write is a lost lease, and not a store that is away",
      find: "if (FENCED.test(message))",
      replace: "if (false)",
    },
  ]),
  ...mutationsOf("lib/durable/requests.ts", REQUESTS, [
    {
      why: "one request of a step is on its way at a time",
      find: "if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') and redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end",
      replace: "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])",
    },
    {
      why: "a claim is found as one's own when it is sent twice",
      find: " and redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end",
      replace: " then return nil end",
    },
    {
      why: "an attempt waits since its first request",
      find: "if redis.call('HGET', KEYS[2], 'attempt') == ARGV[3] then return redis.call('HGET', KEYS[2], 'requestedAt') end\n",
      replace: "",
    },
    {
      why: "a new attempt forgets what the last one left",
      find: "  await store.forget(anew.map(({ request }) => request.identity));\n",
      replace: "",
    },
    {
      why: "an attempt that starts anew has waited since its first request",
      find: '    commands.hset(record, "attempt", request.attempt, "requestedAt", String(since));\n',
      replace: "    commands.exists(record);\n",
    },
    {
      why: "a dead letter never makes a record",
      find: "if redis.call('HEXISTS', KEYS[1], 'attempt') == 0 then return 0 end\n",
      replace: "",
    },
    {
      why: "a dead letter keeps its step from being requested again at once",
      find: "redis.call('SET', KEYS[2], 'undeliverable', 'PX', ARGV[2])\n",
      replace: "",
    },
    {
      why: "a deleted workload's steps are waited for",
      find: "    if (held === 0) return;\n",
      replace: "    return;\n",
    },
    {
      why: "a request that did not leave is sent at the next look",
      find: "  await storeErrors(redis.unlink(threadKeys(identity).requested));\n",
      replace: "",
    },
  ]),
  ...mutationsOf(
    "lib/durable/exclusively.ts",
    ["test/integration/exclusively.test.ts"],
    [
      {
        why: "whoever waits too long is told",
        find: "if (Date.now() >= until)",
        replace: "if (false)",
      },
      {
        why: "work gives its turn away when it ends",
        find: "await lease.release().catch(() => undefined);",
        replace: "",
      },
    ],
  ),
  ...mutationsOf(
    "lib/durable/results.ts",
    ["test/integration/results.test.ts"],
    [
      {
        why: "a digest that is none is not looked for",
        find: "      if (!DIGEST.test(digest)) return undefined;\n",
        replace: "",
      },
      {
        why: "bytes that are no JSON are no result",
        find: "        if (error instanceof SyntaxError) return undefined;\n",
        replace: "",
      },
      {
        why: "JSON that is no result is none",
        find: "  if (!parsed.success) return undefined;\n  cache.set(key, parsed.data, { size: json.length });\n  return parsed.data;",
        replace: "    return JSON.parse(json);",
      },
      {
        why: "a workload reads only its own results",
        find: "const cached = cache.get(key);",
        replace: "const cached = [...cache.entries()].find(([known]) => known.endsWith(key.slice(uid.length)))?.[1];",
      },
    ],
  ),
  ...mutationsOf(
    "lib/edges/artifacts.ts",
    ["test/integration/artifacts.test.ts"],
    [
      {
        why: "bytes that are not those of their key are not given out",
        find: "if (sha256(stored) === digest) return stored;",
        replace: "return stored;",
      },
      {
        why: "a store that is away is not one that lost the bytes",
        find: "if (error instanceof TerminalError && GONE.has(error.reason)) return undefined;",
        replace: "if (error instanceof Error) return undefined;",
        tests: ["test/integration/results.test.ts"],
      },
      {
        why: "a damaged object is replaced by the next put",
        find: "if (!stored || sha256(stored) !== digest) await",
        replace: "if (!stored) await",
      },
      {
        why: "bytes that are there are not written again",
        find: "if (!stored || sha256(stored) !== digest) await",
        replace: "await",
      },
      {
        why: "nobody writes or removes outside the store",
        find: "  if (scope === undefined)\n    throw",
        replace: "  if (false)\n    throw",
      },
      {
        why: "nobody reads another workload's artifact because an agent named it",
        find: "      if (!isArtifactOf(workload, key))\n        throw",
        replace: "      if (false)\n        throw",
      },
    ],
  ),
];
