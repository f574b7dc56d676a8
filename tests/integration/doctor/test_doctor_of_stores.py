"""The examination of real stores: right ones, wrong ones, and stores that are away."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from checker.config import Config, load_config
from checker.doctor.examination import examine, has_fault
from checker.doctor.finding import Finding
from checker.domain.clock import SystemClock
from tests.support.fake_clock import FakeClock
from tests.support.registry_grounds import ENVIRON

PASSWORD = "hunter2"


def config_of(folder: Path, database_url: str, redis_url: str) -> Config:
    folder.chmod(0o700)
    return load_config({"DATABASE_URL": database_url, "REDIS_URL": redis_url}, data_dir=folder)


def levels(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {found.name: found.level for found in findings}


def set_for_database(url: str, **settings: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            name = await connection.fetchval("SELECT current_database()")
            for setting, value in settings.items():
                await connection.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'")
        finally:
            await connection.close()

    asyncio.run(work())


def test_stores_that_fit_have_no_fault_of_their_own(
    tmp_path: Path, database_url: str, start_redis: Any
) -> None:
    with start_redis("--slowlog-max-len", "0") as redis:
        found = levels(
            examine(config_of(tmp_path, database_url, redis.url), ENVIRON, SystemClock())
        )
    # The suite's own PostgreSQL may wait for no disk (`tests/integration/conftest.py`).
    faults = {name for name, level in found.items() if level == "fault"}
    assert faults <= {"PostgreSQL durability"}
    assert {found["Redis clock"], found["PostgreSQL clock"], found["migrations"]} == {"ok"}


def test_stores_that_break_rules_are_found_and_no_password_is_printed(
    tmp_path: Path, bare_database_url: str, start_redis: Any
) -> None:
    set_for_database(
        bare_database_url,
        statement_timeout="30s",
        synchronous_commit="off",
        default_transaction_read_only="on",
    )
    wrong = ("--maxmemory-policy", "allkeys-lru", "--requirepass", PASSWORD, "--timeout", "60")
    with start_redis(*wrong) as redis:
        url = redis.url.replace("unix://", f"unix://:{PASSWORD}@")
        config = config_of(tmp_path, bare_database_url, url)
        findings = examine(config, ENVIRON, FakeClock())
    found = levels(findings)
    assert has_fault(findings)
    assert found["Redis eviction"] == found["PostgreSQL writes"] == "fault"
    assert found["Redis time-out"] == found["PostgreSQL time-outs"] == "warning"
    assert found["migrations"] == found["publisher"] == "warning"
    assert found["Redis clock"] == found["PostgreSQL clock"], "the fake clock is wrong for both"
    assert PASSWORD not in str(findings)


@pytest.mark.parametrize("store", ["PostgreSQL", "Redis"])
def test_a_store_that_is_away_is_a_fault_and_the_other_one_is_examined(
    tmp_path: Path, store: str, database_url: str, own_redis: Any
) -> None:
    away = {
        "PostgreSQL": (f"postgresql://u:{PASSWORD}@127.0.0.1:1/x", own_redis.url),
        "Redis": (database_url, f"redis://:{PASSWORD}@127.0.0.1:1"),
    }
    findings = examine(config_of(tmp_path, *away[store]), ENVIRON, SystemClock())
    [other] = {*away} - {store}
    found = levels(findings)
    assert found[store] == "fault"
    assert found[f"{other} version"] == "ok"
    assert PASSWORD not in str(findings)
