"""The answers of both stores, as servers give them, and the findings that follow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cache.replica_source import HeldChange
from checker.doctor import list_findings, postgres_findings, redis_findings
from checker.doctor.clocks import ahead_s, clock_finding
from checker.doctor.list_findings import ListFacts
from checker.doctor.postgres_facts import PostgresFacts
from checker.doctor.redis_facts import RedisFacts

# Fields of INFO and CONFIG GET of a Redis 8.0, as redis-py returns them.
INFO: dict[str, Any] = {
    "redis_version": "8.0.2",
    "role": "master",
    "used_memory": 1_100_000,
    "maxmemory": 0,
    "maxmemory_policy": "noeviction",
    "rdb_last_bgsave_status": "ok",
    "aof_last_write_status": "ok",
    "aof_enabled": 0,
    "cluster_enabled": 0,
}
REDIS_SETTINGS = {"save": "", "slowlog-max-len": "0", "timeout": "0"}
# The rows of pg_settings of a PostgreSQL 18 after initdb.
SETTINGS = {
    "default_transaction_read_only": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "-1",
    "log_statement": "none",
    "max_connections": "100",
    "server_encoding": "UTF8",
    "server_version": "18.4 (Debian 18.4-1)",
    "server_version_num": "180004",
    "statement_timeout": "0",
    "synchronous_commit": "on",
    "transaction_timeout": "0",
}
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
CHANGE = "00000000000000000000000000000001"


def redis(
    info: dict[str, Any] | None = None, settings: dict[str, str] | None = None, nodes: int = 2
) -> RedisFacts:
    return RedisFacts(
        info=INFO | (info or {}),
        settings=REDIS_SETTINGS | (settings or {}),
        ahead_s=0.0,
        head=HeldChange(7, CHANGE),
        nodes=nodes,
    )


def postgres(settings: dict[str, str] | None = None, **more: Any) -> PostgresFacts:
    facts: dict[str, Any] = {
        "ahead_s": 0.0,
        "is_standby": False,
        "connections_used": 12,
        "is_published": True,
        "revision": postgres_findings.newest_revision(),
        "token_key": "ours",
        "version": 7,
        "change_id": CHANGE,
    }
    return PostgresFacts(settings=SETTINGS | (settings or {}), **facts | more)


def levels_of_redis(facts: RedisFacts) -> dict[str, str]:
    found = [examination(facts) for examination in redis_findings.EXAMINATIONS]
    return {each.name.removeprefix("Redis "): each.level for each in found}


def levels_of_postgres(facts: PostgresFacts) -> dict[str, str]:
    found = [examination(facts) for examination in postgres_findings.EXAMINATIONS]
    return {each.name.removeprefix("PostgreSQL "): each.level for each in found}


def levels_of_list(
    registry: PostgresFacts | None, cache: RedisFacts | None, token_key: str = "ours"
) -> dict[str, str]:
    facts = ListFacts(registry=registry, cache=cache, token_key=token_key)
    found = [examination(facts) for examination in list_findings.EXAMINATIONS]
    return {each.name: each.level for each in found if each is not None}


def test_stores_in_good_order_have_no_finding_but_ok() -> None:
    assert {*levels_of_redis(redis()).values()} == {"ok"}
    assert {*levels_of_postgres(postgres()).values()} == {"ok"}
    assert {*levels_of_list(postgres(), redis()).values()} == {"ok"}


@pytest.mark.parametrize(
    ("info", "name", "level"),
    [
        ({"redis_version": "6.0.16"}, "version", "fault"),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, "version", "ok"),
        ({"cluster_enabled": 1}, "layout", "fault"),
        ({"role": "slave"}, "layout", "fault"),
        ({"maxmemory_policy": "allkeys-lru"}, "eviction", "fault"),
        ({"maxmemory_policy": "volatile-ttl"}, "eviction", "warning"),
        ({"maxmemory": 2_000_000}, "memory", "warning"),
        ({"maxmemory": 1_000_000}, "memory", "fault"),
        ({"rdb_last_bgsave_status": "err"}, "persistence", "fault"),
        ({"aof_last_write_status": "err"}, "persistence", "fault"),
        ({"aof_enabled": 1}, "persistence", "ok"),
    ],
)
def test_a_redis_that_breaks_a_rule_is_found(info: dict[str, Any], name: str, level: str) -> None:
    assert levels_of_redis(redis(info))[name] == level


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"slowlog-max-len": "128"}, "slow log"), ({"timeout": "300"}, "time-out")],
)
def test_a_setting_of_redis_that_harms_is_a_warning(settings: dict[str, str], name: str) -> None:
    assert levels_of_redis(redis(settings=settings))[name] == "warning"


@pytest.mark.parametrize(
    ("settings", "name", "level"),
    [
        ({"server_version_num": "130014"}, "version", "fault"),
        ({"default_transaction_read_only": "on"}, "writes", "fault"),
        ({"fsync": "off"}, "durability", "fault"),
        ({"full_page_writes": "off"}, "durability", "fault"),
        ({"synchronous_commit": "off"}, "durability", "fault"),
        ({"synchronous_commit": "local"}, "durability", "ok"),
        ({"server_encoding": "SQL_ASCII"}, "encoding", "fault"),
        ({"statement_timeout": "30000"}, "time-outs", "warning"),
        ({"max_connections": "20"}, "connections", "warning"),
        ({"log_statement": "all"}, "log", "warning"),
        ({"log_min_duration_statement": "250"}, "log", "warning"),
        ({"log_statement": "all", "log_parameter_max_length": "0"}, "log", "ok"),
    ],
)
def test_a_postgresql_that_breaks_a_rule_is_found(
    settings: dict[str, str], name: str, level: str
) -> None:
    assert levels_of_postgres(postgres(settings))[name] == level


@pytest.mark.parametrize(
    ("revision", "level"), [(None, "warning"), ("0001", "warning"), ("9999", "fault")]
)
def test_a_database_that_is_not_at_the_newest_migration_is_found(
    revision: str | None, level: str
) -> None:
    assert levels_of_postgres(postgres(revision=revision))["migrations"] == level


def test_a_standby_takes_no_writes() -> None:
    assert levels_of_postgres(postgres(is_standby=True))["writes"] == "fault"


def test_a_list_of_another_key_is_a_fault() -> None:
    assert levels_of_list(postgres(), redis(), token_key="other")["keys"] == "fault"


@pytest.mark.parametrize(
    ("needed", "held", "level"),
    [
        ({1: "a"}, {1: "a"}, "ok"),
        ({2: "b"}, {2: "b"}, "ok"),
        ({1: "a"}, {1: "a", 2: "b"}, "warning"),  # known, and not used yet
        ({1: "a", 2: "b"}, {1: "a", 2: "b"}, "warning"),  # a rotation is under way
        ({2: "b"}, {1: "a", 2: "b"}, "warning"),  # needed no longer
        ({1: "a", 2: "b"}, {2: "b"}, "fault"),
        ({1: "a", 2: "b"}, {1: "a"}, "fault"),
        ({1: "a", 2: "b"}, {1: "a", 2: "x"}, "fault"),
    ],
)
def test_a_rotation_of_the_encryption_key_is_found_at_each_stage(
    needed: dict[int, str], held: dict[int, str], level: str
) -> None:
    facts = ListFacts(
        registry=postgres(encryption_keys=needed),
        cache=None,
        token_key="ours",
        encryption_keys=held,
    )
    found = [examination(facts) for examination in list_findings.EXAMINATIONS]
    [of_keys] = [each for each in found if each is not None and each.name == "encryption keys"]
    assert of_keys.level == level
    assert (of_keys.mend is None) == (level == "ok")


@pytest.mark.parametrize(
    ("needed", "held", "level"),
    [
        ({1: "a"}, {1: "a"}, "ok"),
        ({2: "b"}, {1: "a", 2: "b"}, "ok"),  # key 1 makes tokens, and stays
        ({1: "a"}, {1: "a", 2: "b"}, "warning"),  # known, and not used yet
        ({1: "a", 2: "b"}, {1: "a", 2: "b"}, "warning"),  # a replacement is under way
        ({3: "c"}, {1: "a", 2: "b", 3: "c"}, "warning"),  # needed no longer
        ({2: "b"}, {1: "a"}, "fault"),
        ({2: "b"}, {1: "a", 2: "x"}, "fault"),
    ],
)
def test_a_replacement_of_the_token_key_is_found_at_each_stage(
    needed: dict[int, str], held: dict[int, str], level: str
) -> None:
    facts = ListFacts(
        registry=postgres(token_keys=needed), cache=None, token_key="ours", token_keys=held
    )
    found = [examination(facts) for examination in list_findings.EXAMINATIONS]
    [of_keys] = [each for each in found if each is not None and each.name == "token keys"]
    assert of_keys.level == level
    assert (of_keys.mend is None) == (level == "ok")


def test_a_list_that_nobody_publishes_or_reads_is_a_warning() -> None:
    found = levels_of_list(postgres(is_published=False), redis(nodes=0))
    assert (found["publisher"], found["nodes"]) == ("warning", "warning")


def test_lists_of_the_same_number_and_another_change_differ() -> None:
    found = levels_of_list(postgres(change_id="f" * 32), redis())
    assert found["list"] == "warning"


def test_a_list_that_went_back_is_a_fault() -> None:
    assert levels_of_list(postgres(is_set_back=True), redis())["list"] == "fault"


def test_a_store_that_does_not_answer_leaves_its_findings_out() -> None:
    assert {*levels_of_list(None, redis())} == {"nodes"}
    assert {*levels_of_list(postgres(), None)} == {"keys", "publisher"}


def test_a_clock_is_exact_to_half_the_time_of_the_question() -> None:
    def seconds(number: float) -> datetime:
        return NOON + timedelta(seconds=number)

    assert ahead_s(NOON, seconds(2), seconds(4)) == 0
    assert ahead_s(NOON, seconds(4), seconds(4)) == 0
    assert ahead_s(NOON, seconds(9), seconds(4)) == 7
    assert ahead_s(NOON, seconds(-3), seconds(4)) == -5


@pytest.mark.parametrize(
    ("ahead", "level"), [(0.9, "ok"), (-1.1, "warning"), (59, "warning"), (-61, "fault")]
)
def test_a_clock_that_drifts_is_a_warning_and_a_wrong_one_a_fault(ahead: float, level: str) -> None:
    assert clock_finding("Redis", ahead).level == level
