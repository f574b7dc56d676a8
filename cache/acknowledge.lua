-- Say that a node has a version, unless the same author has said so later: a call may run late.
-- The list of nodes counts anew from now on if it was lost, or comes from another run of Redis.
-- KEYS: nodes. ARGV: node, version and id of its newest change, author, turn.
-- Returns 1 if the node is there by this author's own turn in this run of Redis, so has never left, 0
-- if it came just now, or another run has brought it back.
local server = redis.pcall('INFO', 'server')
local run = type(server) == 'string' and string.match(server, 'run_id:(%x+)') or 'unknown'
local time = redis.call('TIME')
local ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local since = redis.call('HGET', KEYS[1], '!')
if not since or string.match(since, '^(%x+):%d+$') ~= run then
  redis.call('HSET', KEYS[1], '!', run .. ':' .. ms)
end
local readable, held = pcall(cjson.decode, redis.call('HGET', KEYS[1], ARGV[1]) or '')
local mine = readable and type(held) == 'table' and held.author == ARGV[4]
local turn = mine and tonumber(held.turn)
if turn and turn > tonumber(ARGV[5]) then
  return 0
end
local now = '{"version":%s,"change_id":"%s","author":"%s","turn":%s,"run":"%s","at_ms":%s}'
redis.call('HSET', KEYS[1], ARGV[1], string.format(now, ARGV[2], ARGV[3], ARGV[4], ARGV[5], run, ms))
return turn == tonumber(ARGV[5]) and held.run == run and 1 or 0
