"""Turns and gates: accounts go one after the other, and nobody's queue grows without bound."""

import asyncio
from collections.abc import Sequence

import pytest

from checker.checks.turns import BatchGate, GateBounds, Turns, slices
from checker.errors import QuotaExceeded, Unavailable

pytestmark = pytest.mark.anyio

BOUNDS = GateBounds(inside=3, inside_of_account=2, waiting=6, waiting_of_account=4, retry_after_s=7)


inside_tasks: list[asyncio.Task[None]] = []
"""The event loop holds no task by itself."""


async def rounds() -> None:
    """Let everything that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_slices_hold_everything_in_order() -> None:
    assert [list(part) for part in slices(range(5), 2)] == [[0, 1], [2, 3], [4]]
    assert not list(slices([], 2))


async def test_accounts_take_turns_however_many_batches_one_of_them_has() -> None:
    turns = Turns()
    worked: list[str] = []

    async def batch(account: str) -> None:
        for _ in range(3):
            await turns.next(account)
            worked.append(account)

    await asyncio.gather(*[batch("a") for _ in range(5)], batch("b"))
    assert worked[:6] == ["a", "b"] * 3
    assert worked[6:] == ["a"] * 12


async def test_one_slice_runs_in_each_round_of_the_event_loop() -> None:
    turns = Turns()
    worked: list[str] = []

    async def batch(account: str) -> None:
        for _ in range(4):
            await turns.next(account)
            worked.append(account)

    async def single() -> None:
        while len(worked) < 32:
            before = len(worked)
            await asyncio.sleep(0)
            assert len(worked) - before <= 1

    await asyncio.gather(single(), *[batch(f"account {number}") for number in range(8)])


async def test_a_batch_that_is_cancelled_costs_the_others_no_turn() -> None:
    turns = Turns()
    waiting = [asyncio.create_task(turns.next("a")) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    await asyncio.wait_for(waiting[2], 5)


async def entered(
    gate: BatchGate, accounts: Sequence[str]
) -> tuple[list[str], list[asyncio.Event]]:
    """Send batches to a gate; gives who is inside, in order, and what ends each batch."""
    inside: list[str] = []
    ends = [asyncio.Event() for _ in accounts]

    async def batch(account: str, end: asyncio.Event) -> None:
        async with gate.passed(account):
            inside.append(account)
            await end.wait()

    for account, end in zip(accounts, ends, strict=True):
        inside_tasks.append(asyncio.create_task(batch(account, end)))
        await rounds()
    return inside, ends


async def test_an_account_is_inside_with_few_batches_and_leaves_room_for_others() -> None:
    inside, ends = await entered(BatchGate(BOUNDS), ["a", "a", "a", "a", "b", "c"])
    assert inside == ["a", "a", "b"]
    ends[0].set()
    await rounds()
    assert inside == ["a", "a", "b", "a"]
    ends[1].set()
    await rounds()
    assert inside == ["a", "a", "b", "a", "c"]


async def test_more_batches_than_may_wait_are_refused_with_a_time_to_come_back() -> None:
    gate = BatchGate(BOUNDS)
    await entered(gate, ["a"] * 6)
    with pytest.raises(QuotaExceeded) as refused:
        async with gate.passed("a"):
            pass
    assert refused.value.retry_after_s == 7
    await entered(gate, ["b", "b", "b"])
    with pytest.raises(Unavailable):
        async with gate.passed("c"):
            pass


async def test_whoever_leaves_the_line_makes_room_and_takes_nobodys_place() -> None:
    gate = BatchGate(BOUNDS)
    inside, ends = await entered(gate, ["a", "a"])
    leaving = asyncio.create_task(_pass(gate, "a"))
    staying = asyncio.create_task(_pass(gate, "a"))
    await rounds()
    ends[0].set()
    leaving.cancel()
    await rounds()
    assert staying.done()
    ends[1].set()
    await rounds()
    assert gate.is_empty
    assert inside == ["a", "a"]


async def _pass(gate: BatchGate, account: str) -> None:
    async with gate.passed(account):
        pass
