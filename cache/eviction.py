"""The eviction policies of Redis that are safe for the list. Asks no Redis.

A lost key is never read as "not listed", so eviction cannot free anyone. But a Redis that drops
buckets under load would send every hit to the registry, again and again, when load is highest.

- noeviction: writes fail when memory is full; all keys stay.
- volatile-*: only keys with a time to live may go. Of our keys the build marker alone has one, and
  a build without its marker is refused. With no such key left, Redis behaves as with noeviction.
- allkeys-*: refused, also with `maxmemory` 0, because a limit may be set at any time.
- any other policy: refused, because its effect on the list is not known here.
"""

from cache.errors import CacheMisconfigured


def refuse_evicting(policy: str) -> None:
    """Raise CacheMisconfigured if a Redis with this `maxmemory-policy` may evict our keys."""
    if policy == "noeviction" or policy.startswith("volatile-"):
        return
    raise CacheMisconfigured(
        f"maxmemory-policy is {policy!r}, under which Redis may drop the list; set noeviction"
    )


def refuse_evicting_by(facts: bytes) -> None:
    """Raise as `refuse_evicting`, by the answer to `INFO memory`."""
    lines = facts.decode(errors="replace").splitlines()
    told = dict(line.partition(":")[::2] for line in lines)
    refuse_evicting(told.get("maxmemory_policy", "unknown"))
