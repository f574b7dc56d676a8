-- Take items from a count, if the limit of this window of time leaves room for all of them.
-- The clock is Redis's own, so that all nodes agree on where a window ends.
-- KEYS: stem of the count's keys. ARGV: items, limit, seconds in a window.
-- Returns {1 taken or 0 refused, items left, seconds until the window ends}.
local now = tonumber(redis.call('TIME')[1])
local items, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local elapsed = now % window
local key = KEYS[1] .. ':' .. (now - elapsed)
local used = tonumber(redis.call('GET', key) or '0')
if used + items > limit then
  return {0, math.max(limit - used, 0), window - elapsed}
end
if items > 0 then
  redis.call('INCRBY', key, items)
  redis.call('EXPIRE', key, 2 * window)
end
return {1, limit - used - items, window - elapsed}
