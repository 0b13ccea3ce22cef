/** Refuses a write of a start that is no longer under way. KEYS[1]: the step's record. ARGV[1]: the start's token, or "" for no check. */
const FENCED = `
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'running') ~= ARGV[1] then return redis.error_reply('FENCED') end
`;

/**
 * Equal bytes are stored once, under their digest, in the thread's `values`: a value that a node wrote and the next checkpoint holds,
 * that no later node touches, or that comes again. Digests have this length.
 */
export const DIGEST_LENGTH = 43;

/**
 * Lua: stores pending writes with the checkpoint they belong to. A write is five arguments: "set" (replace) or "keep" (leave what is
 * there), field, head (channel and task path, JSON), digest, bytes.
 */
const STORE_WRITES = `
local function store_writes(values, checkpoint, first, last)
  for i = first, last, 5 do
    redis.call('HSETNX', values, ARGV[i + 3], ARGV[i + 4])
    redis.call(ARGV[i] == 'set' and 'HSET' or 'HSETNX', checkpoint, ARGV[i + 1], ARGV[i + 3] .. ARGV[i + 2])
  end
end
`;

/**
 * KEYS: record, index, values, checkpoint, parent's checkpoint. ARGV: token, member, checkpoint, metadata, parent id, versions of the
 * unchanged channels (JSON), the number of arguments of the parent's writes, those arguments, then name, version, digest and bytes of
 * each changed channel.
 * A checkpoint's `refs` hold the version and the digest of each channel. Those of unchanged channels are copied from the parent, and
 * only where the version is equal, so that branches of a thread do not mix. A start that finds one missing there knows that Redis lost the
 * parent, as in a failover: it stores nothing, and the next start goes on from what is left.
 */
export const PUT = `${FENCED}${STORE_WRITES}
local refs = {}
local old = cjson.decode(redis.call('HGET', KEYS[5], 'refs') or '{}')
for channel, version in pairs(cjson.decode(ARGV[6])) do
  if old[channel] and old[channel][1] == version then refs[channel] = old[channel]
  elseif ARGV[1] ~= '' then return redis.error_reply('it lost the checkpoint before this one') end
end
local written = tonumber(ARGV[7])
store_writes(KEYS[3], KEYS[5], 8, 7 + written)
for i = 8 + written, #ARGV, 4 do
  redis.call('HSETNX', KEYS[3], ARGV[i + 2], ARGV[i + 3])
  refs[ARGV[i]] = { ARGV[i + 1], ARGV[i + 2] }
end
redis.call('HSET', KEYS[4], 'checkpoint', ARGV[3], 'metadata', ARGV[4], 'parent', ARGV[5], 'refs', cjson.encode(refs))
redis.call('ZADD', KEYS[2], 0, ARGV[2])
return 1
`;

/** KEYS: record, values, checkpoint. ARGV: token, then the writes. */
export const PUT_WRITES = `${FENCED}${STORE_WRITES}
store_writes(KEYS[2], KEYS[3], 2, #ARGV)
return 1
`;

/**
 * KEYS: index, values. ARGV: the member, or "" for the latest; the namespace's range; the prefix of checkpoint keys.
 * @returns {} or { member, plain fields and values, channels and bytes, fields, heads and bytes of the writes }: each a flat list
 */
export const GET = `
local member = ARGV[1]
if member == '' then member = redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, 1)[1] end
if not member then return {} end
local fields = redis.call('HGETALL', ARGV[4] .. member)
local plain, channels, writes = {}, {}, {}
local refs
for i = 1, #fields, 2 do
  local field, value = fields[i], fields[i + 1]
  if string.sub(field, 1, 6) == 'write:' then
    writes[#writes + 1] = field
    writes[#writes + 1] = string.sub(value, ${DIGEST_LENGTH + 1})
    writes[#writes + 1] = redis.call('HGET', KEYS[2], string.sub(value, 1, ${DIGEST_LENGTH}))
  elseif field == 'refs' then
    refs = cjson.decode(value)
  else
    plain[#plain + 1] = field
    plain[#plain + 1] = value
  end
end
if not refs then return {} end
for channel, ref in pairs(refs) do
  channels[#channels + 1] = channel
  channels[#channels + 1] = redis.call('HGET', KEYS[2], ref[2])
end
return { member, plain, channels, writes }
`;
