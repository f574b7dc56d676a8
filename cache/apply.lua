-- Bring a slice of a change into one generation, whole or not at all: fields, filter bits, head, and
-- for the live one an entry of the stream. All is checked before anything is written, and nothing
-- that is missing is made anew: zeros in the place of a lost segment would prove absence.
-- KEYS: pointer, head, build marker, stream, then segments, then buckets, each once; then the hash of
-- checksums.
-- ARGV: generation id, 'live' or 'building', version and id of the change before, version, id, history
-- and instant of this one, 1 if this is its last slice, what the head says of slices before it ('' for
-- whatever it says) and after it, the seal of the entry ('' without tokens), entries the stream keeps,
-- seconds a marker lasts, how many segments,
-- the length of each segment; then for each token: the token, the places in KEYS of its segment and its
-- bucket, and '-', or '+' with the value and then its eight bits in the segment. Then the checksums that
-- the caller computed from what it read: the seal as read, the sentinel of each bucket in the order of
-- KEYS, field and value of each record, and how many records.
-- Returns 1 applied, 0 the generation is not where the change begins or was changed since it was read,
-- -1 a segment is missing or cut, -2 a bucket or its sentinel is missing.
local LIVE, LAST = ARGV[2] == 'live', ARGV[9] == '1'
local BEFORE, AFTER = ARGV[10], ARGV[11]
local FIXED_KEYS, FIXED_ARGUMENTS, SEGMENTS = 4, 15, tonumber(ARGV[15])
local SUMS, RECORDS = KEYS[#KEYS], tonumber(ARGV[#ARGV])
local BUCKETS = #KEYS - FIXED_KEYS - SEGMENTS - 1
local SEAL = #ARGV - 2 * RECORDS - BUCKETS - 1

local function decoded(key)
  local readable, value = pcall(cjson.decode, redis.call('GET', key) or '')
  return readable and type(value) == 'table' and value or {}
end

local head = decoded(KEYS[2])
if head.change_id ~= ARGV[4] then
  return 0
end
if BEFORE ~= '' and head.partial ~= BEFORE then
  return 0
end
if LIVE and decoded(KEYS[1]).id ~= ARGV[1] then
  return 0
end
if not LIVE and redis.call('EXPIRE', KEYS[3], ARGV[14]) == 0 then
  return 0
end
if redis.call('HGET', SUMS, '!') ~= ARGV[SEAL] then
  return 0
end
for n = 1, SEGMENTS do
  if redis.call('STRLEN', KEYS[FIXED_KEYS + n]) ~= tonumber(ARGV[FIXED_ARGUMENTS + n]) then
    return -1
  end
end
for n = FIXED_KEYS + SEGMENTS + 1, #KEYS - 1 do
  if redis.call('HEXISTS', KEYS[n], '!') == 0 then
    return -2
  end
end

local listed, added = {}, tonumber(head.added) or 0
local n = FIXED_ARGUMENTS + SEGMENTS + 1
while n < SEAL do
  local token, segment, bucket = ARGV[n], KEYS[tonumber(ARGV[n + 1])], KEYS[tonumber(ARGV[n + 2])]
  if ARGV[n + 3] == '-' then
    redis.call('HDEL', bucket, token)
    n = n + 4
  else
    added = added + redis.call('HSET', bucket, token, string.sub(ARGV[n + 3], 2))
    for bit = n + 4, n + 11 do
      redis.call('SETBIT', segment, ARGV[bit], '1')
    end
    listed[#listed + 1] = token
    n = n + 12
  end
end
for n = 1, BUCKETS do
  redis.call('HSET', KEYS[FIXED_KEYS + SEGMENTS + n], '!', ARGV[SEAL + n])
end
redis.call('HSET', SUMS, unpack(ARGV, SEAL + BUCKETS + 1, #ARGV - 1))
local version, id, history, as_of_ms = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
if not LAST then
  version, id, history = ARGV[3], ARGV[4], head.history
  as_of_ms = string.format('%.0f', tonumber(head.as_of_ms) or 0)
end
local taken_in = '{"version":%s,"as_of_ms":%s,"change_id":"%s","history":"%s","added":%d,"partial":"%s"}'
redis.call('SET', KEYS[2], string.format(taken_in, version, as_of_ms, id, history, added, AFTER))
if LIVE then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[13], '*', 'v', version, 'p', ARGV[3], 'a', as_of_ms,
    'i', id, 'b', ARGV[4], 'h', history, 't', table.concat(listed), 'f', ARGV[9], 'c', ARGV[12])
end
return 1
