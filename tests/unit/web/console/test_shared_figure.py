"""One computation serves everybody who looks, rests after it, and never fails the page."""

import asyncio

import pytest

from checker.errors import Unavailable
from checker.web.console.shared_figure import REST_FACTOR, FigureState, SharedFigure
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio


class Counting:
    """A computation that takes `seconds` of its own time, and may find its store away."""

    def __init__(self) -> None:
        self.now = 0.0
        self.runs = 0
        self.seconds = 1.0
        self.is_away = False
        self.figure = SharedFigure(self.compute, FakeClock(), elapsed=lambda: self.now)

    async def compute(self) -> int:
        self.runs += 1
        await asyncio.sleep(0)
        self.now += self.seconds
        if self.is_away:
            raise Unavailable("PostgreSQL cannot be reached")
        return self.runs


async def test_all_who_look_at_once_share_one_computation() -> None:
    counting = Counting()
    found = await asyncio.gather(*(counting.figure.get() for _ in range(9)))
    assert {each.value for each in found} == {1}
    assert counting.runs == 1


async def test_a_computation_rests_as_a_multiple_of_its_own_time() -> None:
    counting = Counting()
    await counting.figure.get()
    counting.now += REST_FACTOR * counting.seconds - 0.1
    assert (await counting.figure.get()).value == 1
    counting.now += 0.2
    assert (await counting.figure.get()).value == 2


async def test_while_a_store_is_away_the_last_value_stands_and_is_marked() -> None:
    counting = Counting()
    assert (await counting.figure.get()).state is FigureState.KNOWN
    counting.is_away = True
    counting.now += 100
    found = await counting.figure.get()
    assert (found.state, found.value) == (FigureState.AWAY, 1)
    assert found.at is not None
    counting.is_away = False
    counting.now += 100
    assert (await counting.figure.get()).state is FigureState.KNOWN


async def test_a_store_that_was_never_there_leaves_no_value() -> None:
    counting = Counting()
    counting.is_away = True
    found = await counting.figure.get()
    assert (found.state, found.value, found.at) == (FigureState.AWAY, None, None)
