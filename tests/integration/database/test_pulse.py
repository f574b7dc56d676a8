"""A silent PostgreSQL is noticed once for all, and nothing waits for it any longer than that."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import asyncpg
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.copying import copy_rows
from checker.database.engine import driver_errors, fetch, open_engine
from checker.database.pulse import FULL_FOR_S, GRACE_S, PAUSE_S, SILENT_AFTER_S, Pulse
from checker.errors import Outage, Unavailable
from checker.work import working
from tests.integration.database.relay import Relay, relay_to
from tests.support.fake_clock import FakeClock
from tests.support.private_folder import private_folder

pytestmark = pytest.mark.anyio

ONE = text("SELECT 1")
PATIENCE_S = 10.0
WAITS_S_MAX = 1.0
assert PAUSE_S + SILENT_AFTER_S + GRACE_S < WAITS_S_MAX

_FULL = """
    DO $$ BEGIN RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END $$
"""


class Grounds(msgspec.Struct):
    """A pulse with both kinds of engines, behind one relay."""

    relay: Relay
    pulse: Pulse
    engine: AsyncEngine
    work_engine: AsyncEngine
    clock: FakeClock

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await moment(PAUSE_S / 4)


@pytest.fixture
async def still(anyio_backend: object, database_url: str) -> AsyncIterator[Grounds]:
    """A pulse that looks when the test says so."""
    with private_folder() as folder, relay_to(database_url, folder) as (relay, url):
        clock = FakeClock()
        pulse = Pulse(url, clock=clock)
        async with (
            open_engine(url, pulse=pulse, pool_size=2) as engine,
            open_engine(url, timeout_s=None, pulse=pulse) as work_engine,
        ):
            yield Grounds(relay, pulse, engine, work_engine, clock)
            relay.mend()
            async with working([pulse.work]):
                await asyncio.sleep(0)


@pytest.fixture
async def grounds(still: Grounds) -> AsyncIterator[Grounds]:
    """A pulse that runs."""
    async with working([still.pulse.work]):
        yield still
        still.relay.mend()


async def moment(seconds: float) -> None:
    """Let everything else go on: what is looked at sets no event."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def asks(engine: AsyncEngine) -> None:
    with driver_errors():
        await fetch(engine, ONE)


async def writes_in_a_transaction(engine: AsyncEngine) -> None:
    with driver_errors():
        async with engine.begin() as connection:
            for _ in range(1_000):
                await connection.execute(text("SELECT pg_sleep(0.01)"))


async def copies_much(engine: AsyncEngine) -> None:
    # The driver leaves a future behind, which holds the error that the copy has raised already.
    asyncio.get_running_loop().set_exception_handler(_pass_over_lost)
    with driver_errors():
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TEMPORARY TABLE much (line text)"))
            rows = (("x" * 100_000,) for _ in range(100_000))
            await copy_rows(connection, "much", rows, ["line"])


def _pass_over_lost(_loop: object, context: dict[str, object]) -> None:
    assert isinstance(context.get("exception"), asyncpg.ConnectionDoesNotExistError), context


@pytest.mark.parametrize("work", [writes_in_a_transaction, copies_much])
async def test_what_is_under_way_when_the_server_falls_silent_fails_within_a_second(
    grounds: Grounds, work: Callable[[AsyncEngine], Awaitable[None]]
) -> None:
    await asks(grounds.engine)
    waiting = [asyncio.create_task(work(grounds.work_engine)) for _ in range(2)]
    await moment(PAUSE_S)
    grounds.relay.cut()
    cut_at = time.monotonic()
    waiting += [asyncio.create_task(asks(grounds.engine)) for _ in range(20)]
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - cut_at < WAITS_S_MAX
    assert [(type(each), each.outage) for each in errors] == [(Unavailable, Outage.AWAY)] * 22
    assert grounds.pulse.is_away


async def test_while_the_server_is_silent_everybody_is_refused_at_once_and_one_look_asks(
    grounds: Grounds,
) -> None:
    await asks(grounds.engine)
    grounds.relay.cut()
    await grounds.until(lambda: grounds.pulse.is_away)
    grounds.relay.cut()  # counts anew
    began_at = time.monotonic()
    for _ in range(50):
        for engine in (grounds.engine, grounds.work_engine):
            with pytest.raises(Unavailable):
                await asks(engine)
    assert time.monotonic() - began_at < WAITS_S_MAX
    await grounds.until(lambda: grounds.relay.begun >= 3)
    # Each look waits for its answer, and the next begins after a pause: never two at once.
    looks_max = 1 + (time.monotonic() - began_at) / (SILENT_AFTER_S + PAUSE_S)
    assert grounds.relay.begun <= looks_max


async def test_the_first_request_after_the_silence_is_answered(grounds: Grounds) -> None:
    for engine in (grounds.engine, grounds.work_engine):
        await asks(engine)
    grounds.relay.cut()
    await grounds.until(lambda: grounds.pulse.is_away)
    grounds.relay.mend()
    await grounds.until(lambda: not grounds.pulse.is_away)
    for engine in (grounds.engine, grounds.work_engine):
        with driver_errors():
            async with engine.begin() as connection:
                await connection.execute(ONE)


async def test_a_server_that_ends_all_connections_and_answers_again_is_not_away(
    still: Grounds, database_url: str
) -> None:
    await asks(still.engine)
    async with open_engine(database_url) as other, other.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await still.pulse.look()
    assert not still.pulse.is_away
    with driver_errors():
        async with still.engine.begin() as connection:
            await connection.execute(ONE)


async def test_a_slow_statement_is_no_silence(grounds: Grounds) -> None:
    slow_s = 2 * WAITS_S_MAX
    with driver_errors():
        async with grounds.work_engine.begin() as connection:
            await connection.execute(text("SELECT pg_sleep(:s)"), {"s": slow_s})


async def test_a_busy_process_takes_no_answer_for_silence(still: Grounds) -> None:
    await still.pulse.look()
    looking = asyncio.create_task(still.pulse.look())
    await asyncio.sleep(0)
    busy_until = time.monotonic() + SILENT_AFTER_S + GRACE_S
    while time.monotonic() < busy_until:
        pass
    await looking
    assert not still.pulse.is_away


async def test_a_server_that_takes_no_writes_is_seen_and_seen_to_take_them_again(
    grounds: Grounds, database_url: str
) -> None:
    name = database_url.partition("?")[0].rpartition("/")[2]
    async with open_engine(database_url) as other:
        for value, outage in (("on", Outage.READ_ONLY), ("off", None)):
            async with other.begin() as connection:
                await connection.execute(text("SET TRANSACTION READ WRITE"))
                setting = f"default_transaction_read_only = {value}"
                await connection.execute(text(f"ALTER DATABASE {name} SET {setting}"))
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            await grounds.until(lambda outage=outage: grounds.pulse.writes_refused is outage)


async def test_a_refused_write_says_full_until_a_trial_writes(still: Grounds) -> None:
    with pytest.raises(Unavailable) as refused, driver_errors():
        async with still.engine.begin() as connection:
            await connection.execute(text(_FULL))
    assert refused.value.outage is Outage.FULL
    await still.pulse.look()
    assert still.pulse.writes_refused is Outage.FULL
    still.clock.seconds += FULL_FOR_S
    await still.pulse.look()
    assert still.pulse.writes_refused is None


async def test_without_a_look_nothing_is_refused(database_url: str) -> None:
    pulse = Pulse(database_url)
    async with open_engine(database_url, pulse=pulse) as engine:
        await asks(engine)
    assert not pulse.is_away


async def test_a_caller_that_is_cancelled_as_its_connection_comes_leaves_no_connection(
    database_url: str,
) -> None:
    pulse = Pulse(database_url)
    named = {"application_name": "cancelled caller"}
    before = asyncio.all_tasks()
    async with open_engine(database_url, settings=named, pulse=pulse) as engine:
        caller = asyncio.create_task(asks(engine))
        await asyncio.sleep(0)
        [connecting] = asyncio.all_tasks() - before - {caller}
        connecting.add_done_callback(lambda _: caller.cancel())
        await asyncio.wait([caller])
        assert caller.cancelled()
    sessions = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
    async with open_engine(database_url) as engine, asyncio.timeout(PATIENCE_S):
        while (await fetch(engine, sessions, {"name": named["application_name"]}))[0]["count"]:
            await moment(PAUSE_S / 4)
