-- Take off the list of nodes whoever is behind a version; one that has just caught up stays.
-- KEYS: nodes. ARGV: version.
local fields = redis.call('HGETALL', KEYS[1])
for n = 1, #fields, 2 do
  local readable, held = pcall(cjson.decode, fields[n + 1])
  local version = readable and type(held) == 'table' and tonumber(held.version) or -1
  if fields[n] ~= '!' and version < tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], fields[n])
  end
end
return 1
