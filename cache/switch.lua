-- From marked to live: set the pointer if it still is what the caller judged, and the build is still
-- marked; without its marker a sweep may have begun on it. The marker ends here, so that after the
-- next switch nothing keeps this generation from the sweep.
-- KEYS: pointer, build marker. ARGV: the pointer as judged ('' for none), the pointer to set.
-- Returns 1 switched, 0 the pointer has changed, -1 no marker.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  return -1
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
return 1
