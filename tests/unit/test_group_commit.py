"""Items that wait together are committed together, and each learns what became of it."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import DBAPIError

from checker.errors import Conflict, Unavailable
from checker.group_commit import GroupCommit, group_commit

pytestmark = pytest.mark.anyio


class Ledger:
    """Commits numbers, and gives each doubled; what it was told to fail on, it fails on."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.faults: dict[int, Exception] = {}
        self.open = asyncio.Event()
        self.open.set()

    async def commit(self, numbers: Sequence[int]) -> list[int]:
        await self.open.wait()
        self.groups.append(list(numbers))
        for number in numbers:
            if number in self.faults:
                raise self.faults[number]
        return [2 * number for number in numbers]

    def group(self, *, weight_max: int = 100, waiting_max: int = 100) -> GroupCommit[int, int]:
        return group_commit(
            self.commit,
            weight=lambda number: number,
            weight_max=weight_max,
            waiting_max=waiting_max,
        )


async def test_what_comes_while_one_is_busy_goes_together_and_in_order() -> None:
    ledger = Ledger()
    group = ledger.group()
    assert await asyncio.gather(*(group.add(number) for number in (1, 2, 3))) == [2, 4, 6]
    assert ledger.groups == [[1, 2, 3]]
    assert await group.add(4) == 8


async def test_a_group_weighs_no_more_than_it_may_unless_one_item_does() -> None:
    ledger = Ledger()
    group = ledger.group(weight_max=5)
    await asyncio.gather(*(group.add(number) for number in (2, 3, 9, 1)))
    assert ledger.groups == [[2, 3], [9], [1]]


async def test_too_many_that_wait_are_told_to_come_back() -> None:
    ledger = Ledger()
    group = ledger.group(waiting_max=2)
    answers = await asyncio.gather(
        *(group.add(number) for number in (1, 2, 3)), return_exceptions=True
    )
    assert answers[:2] == [2, 4]
    assert isinstance(answers[2], Unavailable)


@pytest.mark.parametrize(
    "error", [Conflict("two"), DBAPIError.instance("two", None, Exception("two"), Exception)]
)
async def test_a_refusal_of_one_item_is_not_everybodys(error: Exception) -> None:
    ledger = Ledger()
    ledger.faults[2] = error
    group = ledger.group()
    answers = await asyncio.gather(
        *(group.add(number) for number in (1, 2, 3)), return_exceptions=True
    )
    assert (answers[0], type(answers[1]), answers[2]) == (2, type(error), 6)
    assert ledger.groups == [[1, 2, 3], [1], [2], [3]]


async def test_a_bug_reaches_its_group_and_is_not_committed_again() -> None:
    ledger = Ledger()
    ledger.faults[2] = KeyError("two")
    group = ledger.group()
    answers = await asyncio.gather(
        *(group.add(number) for number in (1, 2, 3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [KeyError] * 3
    assert ledger.groups == [[1, 2, 3]]


async def test_an_outage_is_everybodys_and_is_met_once() -> None:
    ledger = Ledger()
    ledger.faults[2] = Unavailable("away")
    group = ledger.group()
    answers = await asyncio.gather(
        *(group.add(number) for number in (1, 2, 3)), return_exceptions=True
    )
    assert [str(answer) for answer in answers] == ["away"] * 3
    assert ledger.groups == [[1, 2, 3]]


async def test_whoever_goes_away_before_anything_was_done_takes_the_item_back() -> None:
    ledger = Ledger()
    ledger.open.clear()
    group = ledger.group(weight_max=1)
    first, second = [asyncio.create_task(group.add(1)) for _ in range(2)]
    await asyncio.sleep(0)
    second.cancel()
    ledger.open.set()
    assert await first == 2
    with pytest.raises(asyncio.CancelledError):
        await second
    await group.aclose()
    assert ledger.groups == [[1]]


async def test_at_the_end_a_caller_that_waits_and_a_later_one_are_told_to_come_back() -> None:
    ledger = Ledger()
    ledger.open.clear()
    group = ledger.group()
    waiting = asyncio.create_task(group.add(1))
    await asyncio.sleep(0)
    await group.aclose()
    for late in (waiting, group.add(2)):
        with pytest.raises(Unavailable):
            await late
    assert ledger.groups == []
