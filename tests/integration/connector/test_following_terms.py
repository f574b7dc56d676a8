"""A follower that was overtaken changes nothing, and a follower that died repeats nothing."""

import pytest

from checker.connector.plan import SourcePosition, SourceStepKind
from checker.connector.positions import HeldPosition, Positions
from checker.domain.clock import SystemClock
from checker.errors import Conflict
from tests.support.token_keys import open_registry

pytestmark = pytest.mark.anyio

SOURCE = "https://court.example/list/"
NEXT = SourcePosition(number=5, sha256="a")


@pytest.fixture
async def engine(anyio_backend, database_url):
    async with open_registry(database_url, timeout_s=None) as opened:
        yield opened


def step(held, position, sha256="b"):
    return held.terms(position, SourceStepKind.CHANGES, sha256)


async def passes(engine, terms):
    async with engine.connect() as connection:
        try:
            await terms.fence(connection)
        except Conflict:
            return False
        return True


async def test_a_follower_goes_on_while_the_position_is_its_own(engine):
    async with Positions(engine, SystemClock()).hold(SOURCE) as held:
        position = await held.read()
        assert await passes(engine, step(held, position))
        await held.write(NEXT)
        assert await passes(engine, step(held, NEXT))


async def test_a_follower_that_was_overtaken_changes_nothing(engine):
    async with Positions(engine, SystemClock()).hold(SOURCE) as held:
        await held.write(NEXT)
        terms = step(held, NEXT)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await HeldPosition(connection, SystemClock(), SOURCE).write(NEXT)
        assert not await passes(engine, terms)


async def test_a_step_has_one_key_until_the_position_is_written(engine):
    positions = Positions(engine, SystemClock())
    async with positions.hold(SOURCE) as held:
        await held.write(NEXT)
        first = step(held, NEXT).key
        assert step(held, NEXT, "c").key != first
    async with positions.hold(SOURCE) as held:
        # The follower that died comes back: it is the same step.
        assert step(held, await held.read()).key == first
        # A list that comes a second time, after another one, is a new step.
        await held.write(NEXT)
        assert step(held, NEXT).key != first
