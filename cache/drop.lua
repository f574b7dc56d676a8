-- Remove each node that is behind a version or holds one of some changes; one that has caught up stays.
-- KEYS: nodes. ARGV: version, then ids of changes.
local fields = redis.call('HGETALL', KEYS[1])
local strange = {}
for n = 2, #ARGV do
  strange[ARGV[n]] = true
end
for n = 1, #fields, 2 do
  local readable, held = pcall(cjson.decode, fields[n + 1])
  held = readable and type(held) == 'table' and held or {}
  local is_behind = (tonumber(held.version) or -1) < tonumber(ARGV[1])
  if fields[n] ~= '!' and (is_behind or strange[held.change_id or '']) then
    redis.call('HDEL', KEYS[1], fields[n])
  end
end
return 1
