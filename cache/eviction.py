"""The eviction policies that a Redis under us may have; knows the words, asks nobody.

A lost key is never read as "not listed", so eviction cannot free anyone. But a Redis that drops
buckets under load would send every hit to the registry just when load is highest, for ever.

- noeviction: writes fail when memory is full; what is there stays.
- volatile-*: only keys with a time to live may go. Of ours the build marker alone has one, and a
  build whose marker is gone is refused. With nothing volatile left it behaves as noeviction.
- allkeys-*: refused, also with `maxmemory` 0, because a limit can be set at any time without us.
- anything else: refused, since nobody here has thought about it.
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
