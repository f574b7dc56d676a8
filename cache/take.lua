-- Take items from counts, if the limit of each leaves room for all of them in its window of time; and
-- lend a slice more, to be spent unasked. What is left of an earlier slice is given back before.
-- A slice is at most a quarter of what is left, and half of what may still be lent: of each limit one
-- in 50 items is lent at once at most. One that would be small is none: then every take is exact.
-- The clock is Redis's own, so that all nodes agree on where a window ends.
-- KEYS: stems of the counts that a slice is given back to, then of those to take from.
-- ARGV: items, the largest and the smallest slice, what is left of the slice that is given back, how
-- large it was, to how many counts it goes; for each of these the start of its window; for each count
-- to take from: its limit, and the seconds that its window lasts and begins before a multiple of that.
-- Returns {1 taken or 0 refused, slice, then for each count: items left, start of its window,
-- milliseconds until that ends}.
local LENT_SHARE, FIXED, EACH = 50, 6, 3
local time = redis.call('TIME')
local now, now_ms = tonumber(time[1]), math.floor(tonumber(time[2]) / 1000)
local items, slice, slice_min = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local rest, size, returned = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

for place = 1, returned do
  local key = KEYS[place] .. ':' .. ARGV[FIXED + place]
  local held = redis.call('HMGET', key, 'used', 'lent')
  if held[1] then
    redis.call('HSET', key, 'used', math.max(held[1] - rest, 0),
      'lent', math.max((held[2] or 0) - size, 0))
  end
end

local counts, granted = {}, true
for place = returned + 1, #KEYS do
  local at = FIXED + returned + EACH * (place - returned - 1)
  local limit, length = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local elapsed = (now + tonumber(ARGV[at + 3])) % length
  local start = string.format('%.0f', now - elapsed)
  local key = KEYS[place] .. ':' .. start
  local held = redis.call('HMGET', key, 'used', 'lent')
  local left = limit - (held[1] or 0)
  local lendable = math.floor(limit / LENT_SHARE) - (held[2] or 0)
  granted = granted and left >= items
  slice = math.min(slice, math.floor(lendable / 2), math.floor((left - items) / 4))
  counts[#counts + 1] = { key = key, start = start, left = left, length = length,
    resets_in_ms = (length - elapsed) * 1000 - now_ms }
end
if items == 0 or not granted or slice < slice_min then
  slice = 0
end

local reply = { (items == 0 or granted) and 1 or 0, slice }
for _, count in ipairs(counts) do
  if items > 0 and granted then
    count.left = count.left - items - slice
    redis.call('HINCRBY', count.key, 'used', items + slice)
    if slice > 0 then
      redis.call('HINCRBY', count.key, 'lent', slice)
    end
    redis.call('EXPIRE', count.key, 2 * count.length)
  end
  reply[#reply + 1] = math.max(count.left, 0)
  reply[#reply + 1] = count.start
  reply[#reply + 1] = count.resets_in_ms
end
return reply
