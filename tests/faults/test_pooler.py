"""Short transactions go through PgBouncer in transaction mode, which mixes sessions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from checker.database.engine import open_engine
from checker.embedded import embedded_redis
from checker.spending.opening import SESSION_SETTINGS
from tests.faults.faulty_service import (
    RIGHT,
    WORKERS,
    answered,
    change,
    frozen,
    in_force,
    is_ready,
    outcomes,
    redis_of,
    shield,
)
from tests.support.asking import FLIGHT, ask
from tests.support.certificates import Authority
from tests.support.pgbouncer import PgBouncer, pgbouncer
from tests.support.postgres_server import primary
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    OUTAGE_SETTINGS,
    RunningService,
    run_command,
    running_service,
    wait_until,
)
from tests.support.spending import hold
from tests.support.town import DEBTOR, INNOCENT

pytestmark = pytest.mark.xdist_group("more faults")

CALLERS = 6
ROUNDS = 5
HELD_FEN = 1_000
IGNORED = "ignore_startup_parameters = checker.session,tcp_keepalives_idle,tcp_keepalives_interval,"
IGNORED += "tcp_keepalives_count,extra_float_digits"


class Pooled:
    """A service behind a pooler."""

    def __init__(self, service: RunningService, pooler: PgBouncer, folder: Path) -> None:
        self.service = service
        self.pooler = pooler
        self.folder = folder
        self.postgres_url = service.named["DATABASE_URL"]

    def status(self, **named: str) -> tuple[int, str]:
        """Run a command with other variables, and return its exit code and its errors."""
        done = run_command(self.service.data_dir, "status", named={**self.service.named, **named})
        return done.returncode, done.stderr


@pytest.fixture(scope="module")
def pooled() -> Iterator[Pooled]:
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder())
        server = stack.enter_context(primary(folder))
        pooler = stack.enter_context(pgbouncer(server.url, folder))
        (folder / "data").mkdir(mode=0o700)
        named = {
            "DATABASE_URL": server.url,
            "DATABASE_POOLER_URL": pooler.url,
            "REDIS_URL": stack.enter_context(embedded_redis(folder / "data" / "redis")),
        }
        running = running_service(
            folder, "serve", "--workers", str(WORKERS), settings=OUTAGE_SETTINGS, named=named
        )
        service = stack.enter_context(running)
        in_force(service)
        yield Pooled(service, pooler, folder)


def test_many_callers_at_once_get_right_answers_and_nothing_is_lost(pooled: Pooled) -> None:
    service = pooled.service

    def ask_and_hold(caller: int) -> list[str]:
        kept = []
        with service.client(service.keys["institution"]) as client:
            for number in range(ROUNDS):
                told = ask(client, DEBTOR, FLIGHT)
                assert told["decision"] == "deny"
                assert ask(client, INNOCENT, FLIGHT)["decision"] == "allow"
                held = hold(client, DEBTOR, HELD_FEN, key=f"pooled {caller} {number}")
                assert held.status_code == 201, held.text
                kept.append(told["id"])
        return kept

    with ThreadPoolExecutor(CALLERS) as callers:
        kept = [each for ids in callers.map(ask_and_hold, range(CALLERS)) for each in ids]
    with service.client(service.keys["institution"]) as client:
        for each in kept:
            assert client.get(f"/v1/decisions/{each}").status_code == 200
        last = hold(client, DEBTOR, HELD_FEN, key="the last").json()
    assert last["spending"]["held_fen"] == (CALLERS * ROUNDS + 1) * HELD_FEN
    proof = run_command(service.data_dir, "audit", "verify", named=service.named)
    assert proof.returncode == 0, proof.stdout + proof.stderr


def test_changes_reach_every_worker_while_redis_is_away(pooled: Pooled) -> None:
    with frozen(redis_of(pooled.service)):
        assert set(answered(pooled.service, INNOCENT)) == {"allow"}
        change(pooled.service, shield())
        assert set(answered(pooled.service, DEBTOR)) == {"allow"}
        change(pooled.service, shield("unshield"))
        assert set(answered(pooled.service, DEBTOR)) == {"deny"}
    wait_until(lambda: is_ready(pooled.service))


def test_a_pooler_that_dies_stops_no_innocent_and_answers_nobody_wrong(pooled: Pooled) -> None:
    pooled.pooler.kill()
    assert set(answered(pooled.service, INNOCENT)) == {"allow"}
    assert set(answered(pooled.service, DEBTOR)) <= {"deny"}
    pooled.pooler.start()
    wait_until(lambda: len(answered(pooled.service, DEBTOR)) == len(RIGHT))
    assert outcomes(pooled.service) == RIGHT


@pytest.mark.parametrize("more", ["", IGNORED], ids=["refuses settings", "drops settings"])
def test_a_pooler_in_place_of_postgresql_is_refused_and_named(pooled: Pooled, more: str) -> None:
    with pgbouncer(pooled.postgres_url, pooled.folder, more=more) as pooler:
        code, said = pooled.status(DATABASE_URL=pooler.url)
    assert (code, "DATABASE_POOLER_URL to the pooler" in said) == (2, True), said


def test_a_pooler_of_another_database_is_refused(pooled: Pooled) -> None:
    with pgbouncer(pooled.postgres_url, pooled.folder, database="template1") as other:
        code, said = pooled.status(DATABASE_POOLER_URL=other.url)
    assert (code, "leads to another database" in said) == (2, True), said


def test_the_certificate_of_a_pooler_is_verified(pooled: Pooled) -> None:
    folder = pooled.folder
    authority = Authority(folder)
    authority.issue("tls")
    more = f"client_tls_sslmode = require\nclient_tls_cert_file = {folder / 'tls.pem'}\n"
    more += f"client_tls_key_file = {folder / 'tls.key'}"
    with pgbouncer(pooled.postgres_url, folder, more=more) as pooler:
        url = f"{pooler.url}?sslmode=verify-full"
        known, said = pooled.status(DATABASE_POOLER_URL=url, PGSSLROOTCERT=str(authority.file))
        assert known == 0, said
        other = Authority(folder, "other").file
        unknown, _ = pooled.status(DATABASE_POOLER_URL=url, PGSSLROOTCERT=str(other))
        assert unknown != 0


@pytest.mark.anyio
async def test_settings_hold_for_each_transaction_and_autocommit_is_refused(
    pooled: Pooled,
) -> None:
    url = pooled.pooler.url
    read = text("SELECT current_setting('lock_timeout'), current_setting('enable_seqscan')")
    async with (
        open_engine(url, pooler_url=url, settings=SESSION_SETTINGS) as engine,
        open_engine(url, pooler_url=url) as other,
    ):
        for _ in range(5):
            async with engine.connect() as connection, other.connect() as plain:
                assert (await connection.execute(read)).one() == ("1500ms", "off")
                assert (await plain.execute(read)).one() == ("0", "on")
        with pytest.raises(AssertionError, match="outside a transaction"):
            engine.execution_options(isolation_level="AUTOCOMMIT")
