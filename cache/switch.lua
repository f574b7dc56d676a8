-- From marked to live: set the pointer if it still is what the caller judged, the live generation has
-- taken in nothing newer, and the build is still marked; without its marker a sweep may have begun on
-- it. The marker ends here, so that after the next switch nothing keeps this generation from the
-- sweep; so does the wish for a rebuild.
-- KEYS: pointer, build marker, head of the build, head of the live generation (where none can be
-- named: of the build again), the wish. ARGV: the pointer as judged ('' for none), the one to set.
-- Returns 1 switched, 0 the pointer has changed, -1 no marker or no head, -2 the live one is newer.
local function version(key)
  local readable, head = pcall(cjson.decode, redis.call('GET', key) or '')
  return readable and type(head) == 'table' and tonumber(head.version) or nil
end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
local own, live = version(KEYS[3]), version(KEYS[4])
if not own or redis.call('EXISTS', KEYS[2]) == 0 then
  return -1
end
if live and live > own then
  return -2
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2], KEYS[5])
return 1
