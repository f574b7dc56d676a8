-- Say that the registry's newest version, as just read, is all in the live generation: to readers of
-- the shared cache by a key that ends at a set instant, to the nodes by a heartbeat in the stream.
-- A script that runs late, on a Redis that was frozen, says nothing: the answer of then is old now.
-- Both that key and the nodes' sentinel name this run of Redis: one that restarts from its disk brings
-- back what it last saved, and neither may be believed of it. A sentinel that is lost, or of another
-- run, is made anew with the time: the nodes count again when all leases from before have ended.
-- KEYS: pointer, head, vouched, stream, nodes.
-- ARGV: generation id; version, instant, id and history of the newest change; the latest time to run and
-- the instant at which the key ends, both in milliseconds of Redis's clock; entries the stream keeps;
-- the end of the key's value ('' or ':' and the instant: a key that a cluster moves may outlast it).
-- Returns {1 said or 0 not, seconds, microseconds of Redis's clock}.
local function decoded(key)
  local readable, value = pcall(cjson.decode, redis.call('GET', key) or '')
  return readable and type(value) == 'table' and value or {}
end

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if now_ms > tonumber(ARGV[6]) or decoded(KEYS[1]).id ~= ARGV[1]
    or decoded(KEYS[2]).change_id ~= ARGV[4] then
  return { 0, tonumber(time[1]), tonumber(time[2]) }
end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if string.match(redis.call('HGET', KEYS[5], '!') or '', '^(%x+):%d+$') ~= run then
  redis.call('HSET', KEYS[5], '!', string.format('%s:%.0f', run, now_ms))
end
redis.call('SET', KEYS[3], ARGV[1] .. ':' .. run .. ARGV[9], 'PXAT', ARGV[7])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[8], '*', 'v', ARGV[2], 'p', ARGV[2], 'a', ARGV[3],
  'i', ARGV[4], 'b', ARGV[4], 'h', ARGV[5], 't', '', 'f', '1')
return { 1, tonumber(time[1]), tonumber(time[2]) }
