import { ACQUIRE, RELEASE } from "./lease.ts";

/*
 * Lua scripts on what is kept of a step. All may be sent twice: ioredis does so when a connection breaks before the answer.
 *
 * Fields of a record:
 *   attempt, requestedAt, undeliverable   lib/durable/requests.ts
 *   startedAt    of the first start
 *   running      the token of the start that is under way; its absence refuses every writer
 *   last         the token of the last start, however that ended
 *   failed       tokens of starts that ended in an error of the step's own, a space behind each
 *   crashed      tokens of starts whose process neither finished the step nor gave it back
 *   outcome, digest, finishedAt           how the step ended
 *   dropped      the only field once the step's workload is deleted; the record then expires
 */

const COUNT = `
local function count(record, field)
  local _, n = string.gsub(redis.call('HGET', record, field) or '', ' ', '')
  return n
end
local function includes(record, field, token)
  return string.find(redis.call('HGET', record, field) or '', token .. ' ', 1, true) ~= nil
end
local function add(record, field, token)
  if not includes(record, field, token) then
    redis.call('HSET', record, field, (redis.call('HGET', record, field) or '') .. token .. ' ')
  end
end
`;

/** Lua: a start gives the step back. If another start has counted it as a crash meanwhile, that was wrong. */
const GIVE_BACK_FUNCTION = `${RELEASE}
local function give_back(record, lease, token, value)
  if redis.call('HGET', record, 'running') == token then redis.call('HDEL', record, 'running') end
  local crashed = redis.call('HGET', record, 'crashed')
  if crashed then
    local first, last = string.find(crashed, token .. ' ', 1, true)
    if first then redis.call('HSET', record, 'crashed', string.sub(crashed, 1, first - 1) .. string.sub(crashed, last + 1)) end
  end
  release(lease, value)
end
`;

const DELETE_CHECKPOINTS = `
local function delete_checkpoints(index, values, prefix)
  for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do redis.call('UNLINK', prefix .. member) end
  redis.call('UNLINK', index, values)
end
`;

const END = `
local function end_of(record) return redis.call('HMGET', record, 'outcome', 'digest', 'finishedAt') end
local function record_end(record, outcome, digest, time, keep)
  redis.call('HSET', record, 'outcome', outcome, 'digest', digest, 'finishedAt', time)
  redis.call('HDEL', record, 'running', 'last', 'failed', 'crashed')
  redis.call('PEXPIRE', record, keep)
  return { outcome, digest, time }
end
`;

/**
 * KEYS: record, lease. ARGV: token, lease's value, its life in ms, the value to take over or "", time, digest of a lost result or "".
 * @returns { "dropped" }, { "ended", outcome, digest, finishedAt }, { "held", value }, or { "started", whether before (0 or 1), failures,
 * crashes, token of the start before or "" }
 */
export const START = `${ACQUIRE}${COUNT}${END}
if redis.call('HEXISTS', KEYS[1], 'dropped') == 1 then return { 'dropped' } end
local digest = redis.call('HGET', KEYS[1], 'digest')
if digest and digest == ARGV[6] then
  redis.call('HDEL', KEYS[1], 'outcome', 'digest', 'finishedAt')
  redis.call('PERSIST', KEYS[1])
elseif digest then
  return { 'ended', unpack(end_of(KEYS[1])) }
end
local held = acquire(KEYS[2], ARGV[2], ARGV[3], ARGV[4])
if held then return { 'held', held } end
local running = redis.call('HGET', KEYS[1], 'running')
if running and running ~= ARGV[1] then add(KEYS[1], 'crashed', running) end
local last = redis.call('HGET', KEYS[1], 'last')
redis.call('HSET', KEYS[1], 'running', ARGV[1], 'last', ARGV[1])
local first = redis.call('HSETNX', KEYS[1], 'startedAt', ARGV[5])
return { 'started', 1 - first, count(KEYS[1], 'failed'), count(KEYS[1], 'crashed'), last and last ~= ARGV[1] and last or '' }
`;

/** KEYS: record, lease. ARGV: token, ms to live. Only the lease of the start that is under way is renewed. @returns 1 or 0 */
export const RENEW = `
if redis.call('HGET', KEYS[1], 'running') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[2], ARGV[2])
`;

/** KEYS: record, lease. ARGV: token, lease's value, retry limit. @returns how many starts have failed or crashed */
export const COUNT_FAILURE = `${COUNT}${GIVE_BACK_FUNCTION}
if not includes(KEYS[1], 'failed', ARGV[1]) then
  if redis.call('HGET', KEYS[1], 'running') ~= ARGV[1] then return redis.error_reply('FENCED') end
  add(KEYS[1], 'failed', ARGV[1])
end
local ended = count(KEYS[1], 'failed') + count(KEYS[1], 'crashed')
if ended <= tonumber(ARGV[3]) then give_back(KEYS[1], KEYS[2], ARGV[1], ARGV[2]) end
return ended
`;

/**
 * KEYS: record, lease, index, values. ARGV: token, lease's value, outcome, digest, time, ms to keep the record, prefix of checkpoint
 * keys. The first end stands. @returns { outcome, digest, finishedAt }
 */
export const FINISH = `${RELEASE}${DELETE_CHECKPOINTS}${END}
if redis.call('HEXISTS', KEYS[1], 'digest') == 1 then return end_of(KEYS[1]) end
if redis.call('HGET', KEYS[1], 'running') ~= ARGV[1] then return redis.error_reply('FENCED') end
delete_checkpoints(KEYS[3], KEYS[4], ARGV[7])
release(KEYS[2], ARGV[2])
return record_end(KEYS[1], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
`;

/** KEYS: record, lease. ARGV: outcome, digest, time, ms to keep the record. @returns as FINISH; { "held" }: somebody works on it; { "dropped" } */
export const RECORD_RESULT = `${END}
if redis.call('HEXISTS', KEYS[1], 'dropped') == 1 then return { 'dropped' } end
if redis.call('HEXISTS', KEYS[1], 'digest') == 1 then return end_of(KEYS[1]) end
if redis.call('EXISTS', KEYS[2]) == 1 then return { 'held' } end
return record_end(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
`;

/** KEYS: record, lease. ARGV: token, lease's value. */
export const GIVE_BACK = `${GIVE_BACK_FUNCTION} give_back(KEYS[1], KEYS[2], ARGV[1], ARGV[2])`;

/** KEYS: record, lease, index, values. ARGV: prefix of checkpoint keys. Without a record, whoever still works can write nothing. */
export const FORGET = `${DELETE_CHECKPOINTS}
if redis.call('HEXISTS', KEYS[1], 'dropped') == 1 then return end
redis.call('UNLINK', KEYS[1], KEYS[2])
delete_checkpoints(KEYS[3], KEYS[4], ARGV[1])
`;

/**
 * KEYS: record, requested, index, values. ARGV: prefix of checkpoint keys, ms to keep the mark. Whoever still works can write nothing and
 * renew nothing; the lease stays until it gives the step back, which shows that it has stopped.
 */
export const DROP = `${DELETE_CHECKPOINTS}
delete_checkpoints(KEYS[3], KEYS[4], ARGV[1])
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'dropped', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
