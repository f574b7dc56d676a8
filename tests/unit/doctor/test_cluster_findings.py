"""The answers of a Redis cluster, and the findings that follow."""

from typing import Any

import msgspec
import pytest

from cache.keys import KeyFamily
from checker.doctor import cluster_findings, redis_findings
from checker.doctor.cluster_facts import SLOTS, ClusterFacts, ClusterServerFacts
from tests.unit.doctor.test_store_findings import redis

MASTER = {"maxmemory_policy": "noeviction", "connected_slaves": 1}
REPLICA = {"maxmemory_policy": "noeviction", "connected_slaves": 0}
OWNERS = {KeyFamily.LIST: "a:1", KeyFamily.COUNTS: "b:1", KeyFamily.PAGES: "c:1"}


def server(name: str, info: dict[str, Any] | None = None, **more: Any) -> ClusterServerFacts:
    is_master = more.pop("is_master", True)
    usual = MASTER if is_master else REPLICA
    facts = {"name": name, "is_master": is_master, "state": "ok", "info": usual | (info or {})}
    return ClusterServerFacts(**facts | more)


def cluster(*changed: ClusterServerFacts, **more: Any) -> ClusterFacts:
    usual = [
        *(server(f"{name}:1") for name in "abc"),
        *(server(f"{name}:1", is_master=False) for name in "def"),
    ]
    by_name = {each.name: each for each in (*usual, *changed)}
    facts = {
        "servers": tuple(by_name.values()),
        "owners": OWNERS,
        "moving": frozenset(),
        "slots": SLOTS,
    }
    return ClusterFacts(**facts | more)


def found(facts: ClusterFacts) -> dict[str, tuple[str, str]]:
    findings = [examination(facts) for examination in cluster_findings.EXAMINATIONS]
    return {each.name.removeprefix("Redis "): (each.level, each.detail) for each in findings}


def test_a_cluster_in_good_order_has_no_finding_but_ok() -> None:
    told = found(cluster())
    assert {level for level, _ in told.values()} == {"ok"}
    assert told["cluster"][1] == "6 servers, 3 masters"
    assert told["slots"][1] == "counts on b:1, list on a:1, pages on c:1"


@pytest.mark.parametrize(
    ("facts", "name", "level", "told"),
    [
        (cluster(server("b:1", state="fail")), "cluster", "fault", "b:1"),
        (cluster(slots=SLOTS - 7), "cluster", "fault", "7 slots have no master"),
        (cluster(ClusterServerFacts(name="e:1", is_master=False)), "replicas", "warning", "e:1"),
        (cluster(server("c:1", {"connected_slaves": 0})), "replicas", "warning", "c:1"),
        (cluster(owners={KeyFamily.LIST: "a:1"}), "slots", "fault", "counts, pages"),
        (cluster(moving=frozenset({KeyFamily.LIST})), "slots", "warning", "list"),
        (cluster(server("d:1", {"maxmemory_policy": "allkeys-lru"})), "evictions", "fault", "d:1"),
    ],
)
def test_a_cluster_that_breaks_a_rule_is_found(
    facts: ClusterFacts, name: str, level: str, told: str
) -> None:
    assert found(facts)[name][0] == level
    assert told in found(facts)[name][1]


def test_a_server_that_may_not_be_asked_about_the_cluster_is_no_fault() -> None:
    assert found(cluster(server("a:1", state=None)))["cluster"][0] == "ok"


def test_a_cluster_is_in_order_where_its_url_names_one_and_a_part_may_be_lost() -> None:
    single = redis({"cluster_enabled": 1})
    named = msgspec.structs.replace(single, cluster=cluster())
    strict = msgspec.structs.replace(named, settings={"cluster-require-full-coverage": "yes"})
    for facts, level in ((single, "fault"), (named, "ok"), (strict, "warning")):
        levels = {each(facts).name: each(facts).level for each in redis_findings.EXAMINATIONS}
        assert levels["Redis layout"] == level
