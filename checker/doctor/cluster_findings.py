"""The findings about a Redis cluster as a whole: one function for each finding."""

from collections.abc import Callable
from typing import Final

from cache.errors import CacheMisconfigured
from cache.eviction import refuse_evicting
from cache.keys import KeyFamily
from checker.doctor.cluster_facts import SLOTS, ClusterFacts
from checker.doctor.finding import Finding

_CHECK: Final = "redis-cli --cluster check HOST:PORT names the cause"


def _state(facts: ClusterFacts) -> Finding:
    name = "Redis cluster"
    masters = sum(server.is_master for server in facts.servers)
    text = f"{len(facts.servers)} servers, {masters} masters"
    failed = [server.name for server in facts.servers if server.state not in {None, "ok"}]
    if failed:
        return Finding.fault(name, f"{text}: not in order by {', '.join(failed)}", _CHECK)
    if facts.slots < SLOTS:
        return Finding.fault(name, f"{text}: {SLOTS - facts.slots} slots have no master", _CHECK)
    return Finding.ok(name, text)


def _servers(facts: ClusterFacts) -> Finding:
    name = "Redis replicas"
    silent = [server.name for server in facts.servers if server.info is None]
    if silent:
        text = f"does not answer: {', '.join(silent)}"
        return Finding.warning(name, text, "start the server, or take it out of the cluster")
    alone = [
        server.name
        for server in facts.servers
        if server.is_master and not (server.info or {}).get("connected_slaves")
    ]
    if alone:
        text = f"has no replica: {', '.join(alone)}"
        return Finding.warning(name, text, "add a replica by redis-cli --cluster add-node")
    return Finding.ok(name, "each master has a replica")


def _owners(facts: ClusterFacts) -> Finding:
    name = "Redis slots"
    text = ", ".join(f"{family} on {owner}" for family, owner in sorted(facts.owners.items()))
    missing = [family for family in KeyFamily if family not in facts.owners]
    if missing:
        return Finding.fault(name, f"{', '.join(missing)} without a master", _CHECK)
    if facts.moving:
        text = f"being moved, so not in use: {', '.join(sorted(facts.moving))}"
        return Finding.warning(name, text, "finish the move: redis-cli --cluster fix HOST:PORT")
    return Finding.ok(name, text)


def _evictions(facts: ClusterFacts) -> Finding:
    name = "Redis evictions"
    evicting = []
    for server in facts.servers:
        try:
            refuse_evicting(str((server.info or {}).get("maxmemory_policy", "noeviction")))
        except CacheMisconfigured:
            evicting.append(server.name)
    if evicting:
        text = f"may drop parts of the list: {', '.join(evicting)}"
        return Finding.fault(name, text, "CONFIG SET maxmemory-policy noeviction on each server")
    return Finding.ok(name, "no server evicts the list")


EXAMINATIONS: Final[tuple[Callable[[ClusterFacts], Finding], ...]] = (
    _state,
    _servers,
    _owners,
    _evictions,
)
