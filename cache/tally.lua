-- Add what one name has asked to its counts and to its group's, in the window of time that runs now.
-- Elements are counted as distinct ones, each hashed with a salt that ends with the window: from then
-- on nobody can tell whether any one of them was among those that were counted.
-- The clock is Redis's own, so that all nodes agree on where a window ends.
-- KEYS: stem of all keys. ARGV: seconds in a window, name, group, items, hits, from how many items on
-- a name is regular, a salt for a window that has none, then elements of 16 bytes each.
-- Returns {start of the window, then of the name and of its group: items, distinct, hits, regular}.
local now = tonumber(redis.call('TIME')[1])
local length = tonumber(ARGV[1])
local start = now - now % length
local stem = KEYS[1] .. ':' .. string.format('%.0f', start)
local own, group, persons = stem .. ':n:' .. ARGV[2], stem .. ':g:' .. ARGV[3], stem .. ':d:' .. ARGV[2]
local salt = stem .. ':salt'
local ends_at = start + length

local function add(field, number)
  if number ~= 0 then
    redis.call('HINCRBY', own, field, number)
    redis.call('HINCRBY', group, field, number)
  end
end

if #ARGV > 7 then
  if redis.call('SETNX', salt, ARGV[7]) == 1 then
    redis.call('EXPIREAT', salt, ends_at)
  end
  local key = redis.call('GET', salt)
  for place = 8, #ARGV do
    redis.call('PFADD', persons, redis.sha1hex(key .. ARGV[place]))
  end
  redis.call('EXPIREAT', persons, ends_at)
  local counted = tonumber(redis.call('HGET', own, 'distinct') or '0')
  add('distinct', redis.call('PFCOUNT', persons) - counted)
end
add('items', tonumber(ARGV[4]))
add('hits', tonumber(ARGV[5]))
local items = tonumber(redis.call('HGET', own, 'items') or '0')
if items >= tonumber(ARGV[6]) and redis.call('HSETNX', own, 'regular', 1) == 1 then
  redis.call('HINCRBY', group, 'regular', 1)
end
redis.call('EXPIREAT', own, ends_at)
redis.call('EXPIREAT', group, ends_at)

local reply = { start }
for _, key in ipairs({ own, group }) do
  local held = redis.call('HMGET', key, 'items', 'distinct', 'hits', 'regular')
  for place = 1, 4 do
    reply[#reply + 1] = tonumber(held[place] or '0')
  end
end
return reply
