"""The findings about Redis, by its answers: one function for each finding."""

from collections.abc import Callable
from typing import Final

from cache.errors import CacheMisconfigured
from cache.eviction import refuse_evicting
from checker.doctor.clocks import clock_finding
from checker.doctor.finding import Finding
from checker.doctor.redis_facts import RedisFacts

OLDEST: Final = (6, 2)

MEMORY_SHARE_MAX: Final = 0.5
"""A rebuild holds two copies of the list for a while."""


def _version(facts: RedisFacts) -> Finding:
    kind = str(facts.info.get("server_name", "redis")).capitalize()
    text = str(facts.info.get("valkey_version") or facts.info.get("redis_version", "0"))
    parts = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
    if parts < OLDEST:
        return Finding.fault("Redis version", f"{kind} {text} is too old", "install 6.2 or later")
    return Finding.ok("Redis version", f"{kind} {text}")


def _layout(facts: RedisFacts) -> Finding:
    if facts.cluster is not None:
        if facts.settings.get("cluster-require-full-coverage") == "yes":
            text = "is a cluster that stops altogether when one master and its replica are lost"
            mend = "CONFIG SET cluster-require-full-coverage no, and in redis.conf"
            return Finding.warning("Redis layout", text, mend)
        return Finding.ok("Redis layout", "is a cluster")
    if facts.info.get("cluster_enabled"):
        text = "is a cluster, and REDIS_URL names a single server"
        return Finding.fault("Redis layout", text, "REDIS_URL=redis+cluster://HOST:PORT,HOST:PORT")
    if facts.info.get("role") == "slave":
        text = "is a replica, which takes no writes"
        return Finding.fault("Redis layout", text, "name the primary by REDIS_URL")
    return Finding.ok("Redis layout", "is a single primary")


def _eviction(facts: RedisFacts) -> Finding:
    policy = str(facts.info.get("maxmemory_policy", "unknown"))
    try:
        refuse_evicting(policy)
    except CacheMisconfigured:
        text = f"maxmemory-policy is {policy}: Redis may drop parts of the list"
        return Finding.fault(
            "Redis eviction", text, "CONFIG SET maxmemory-policy noeviction, and in redis.conf"
        )
    if policy != "noeviction":
        text = f"maxmemory-policy is {policy}: a rebuild may be dropped, the list stays"
        return Finding.warning(
            "Redis eviction", text, "CONFIG SET maxmemory-policy noeviction, and in redis.conf"
        )
    return Finding.ok("Redis eviction", "maxmemory-policy is noeviction")


def _memory(facts: RedisFacts) -> Finding:
    used, limit = int(facts.info.get("used_memory", 0)), int(facts.info.get("maxmemory", 0))
    if not limit:
        return Finding.ok("Redis memory", f"{used >> 20} MiB used, without a limit")
    text = f"{used >> 20} of {limit >> 20} MiB used"
    if used >= limit:
        return Finding.fault("Redis memory", f"{text}: no write is taken", "raise maxmemory")
    if used > limit * MEMORY_SHARE_MAX:
        text = f"{text}: a rebuild needs room for a second copy of the list"
        return Finding.warning("Redis memory", text, "raise maxmemory to twice the use")
    return Finding.ok("Redis memory", text)


def _persistence(facts: RedisFacts) -> Finding:
    name, info = "Redis persistence", facts.info
    is_failing = "err" in {info.get("rdb_last_bgsave_status"), info.get("aof_last_write_status")}
    if is_failing:
        text = "the last save failed, and Redis may refuse all writes (MISCONF)"
        return Finding.fault(name, text, "make room on its disk, or CONFIG SET save ''")
    ways = [
        way for way, is_on in (("AOF", info.get("aof_enabled")), ("RDB", _saves(facts))) if is_on
    ]
    if ways:
        text = f"{' and '.join(ways)}: the files hold tokens; protect them like a backup"
        return Finding.ok(name, text)
    return Finding.ok(name, "none is needed: an empty Redis is filled from PostgreSQL")


def _saves(facts: RedisFacts) -> bool:
    return bool(facts.settings.get("save"))


def _slow_log(facts: RedisFacts) -> Finding:
    kept = facts.settings.get("slowlog-max-len")
    if kept not in {None, "0"}:
        text = "keeps slow commands, and so the tokens of subjects"
        return Finding.warning(
            "Redis slow log", text, "CONFIG SET slowlog-max-len 0, and in redis.conf"
        )
    return Finding.ok("Redis slow log", "keeps no token" if kept else "cannot be asked about here")


def _idle_connections(facts: RedisFacts) -> Finding:
    idle_s = int(facts.settings.get("timeout") or 0)
    if idle_s:
        text = f"idle connections are closed after {idle_s} s, so checks connect again"
        return Finding.warning("Redis time-out", text, "CONFIG SET timeout 0, and in redis.conf")
    return Finding.ok("Redis time-out", "idle connections stay open")


def _clock(facts: RedisFacts) -> Finding:
    return clock_finding("Redis", facts.ahead_s)


EXAMINATIONS: Final[tuple[Callable[[RedisFacts], Finding], ...]] = (
    _version,
    _layout,
    _eviction,
    _memory,
    _persistence,
    _slow_log,
    _idle_connections,
    _clock,
)
