/** Refuses the write of a process whose lease went to another: FENCE is the newest token's key, ARGV[1] the writer's, "" for none. */
const FENCED = `
local fence = redis.call('GET', KEYS[1])
if ARGV[1] ~= '' and fence and tonumber(fence) > tonumber(ARGV[1]) then return redis.error_reply('FENCED') end
`;

/**
 * KEYS: fence, index, values, checkpoint, parent's checkpoint. ARGV: token, member, checkpoint, metadata, parent id, versions of
 * the channels that did not change (JSON), then triples of a changed channel, its version, its bytes.
 * A checkpoint's `refs` say for each channel which version it has and where its bytes are; what did not change is taken over
 * from the parent's, so that a value is stored once, and two branches with equal version numbers do not mix.
 */
export const PUT = `${FENCED}
local refs = {}
local old = redis.call('HGET', KEYS[5], 'refs')
if old then
  old = cjson.decode(old)
  for channel, version in pairs(cjson.decode(ARGV[6])) do
    if old[channel] and old[channel][1] == version then refs[channel] = old[channel] end
  end
end
for i = 7, #ARGV, 3 do
  local field = ARGV[2] .. '\\0' .. ARGV[i]
  redis.call('HSET', KEYS[3], field, ARGV[i + 2])
  refs[ARGV[i]] = { ARGV[i + 1], field }
end
redis.call('HSET', KEYS[4], 'checkpoint', ARGV[3], 'metadata', ARGV[4], 'parent', ARGV[5], 'refs', cjson.encode(refs))
redis.call('ZADD', KEYS[2], 0, ARGV[2])
return 1
`;

/** KEYS: fence, checkpoint. ARGV: token, then triples of "set" or "keep", field, bytes. "keep" leaves what is there. */
export const PUT_WRITES = `${FENCED}
for i = 2, #ARGV, 3 do
  redis.call(ARGV[i] == 'set' and 'HSET' or 'HSETNX', KEYS[2], ARGV[i + 1], ARGV[i + 2])
end
return 1
`;

/**
 * KEYS: index, values. ARGV: the member, or "" for the latest; then the namespace's range, and the prefix of checkpoint keys.
 * @returns {} or { member, fields and values of the checkpoint, its channels, their bytes in the same order }
 */
export const GET = `
local member = ARGV[1]
if member == '' then member = redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, 1)[1] end
if not member then return {} end
local fields = redis.call('HGETALL', ARGV[4] .. member)
local refs
for i = 1, #fields, 2 do if fields[i] == 'refs' then refs = cjson.decode(fields[i + 1]) end end
if not refs then return {} end
local channels, values = {}, {}
for channel, ref in pairs(refs) do
  channels[#channels + 1] = channel
  values[#values + 1] = redis.call('HGET', KEYS[2], ref[2])
end
return { member, fields, channels, values }
`;
