"""How a hold goes on and ends, and requests that are said again: over the record and its twin."""

import asyncio

import pytest

from checker.errors import Conflict, IdempotencyKeyReused, NotFound
from checker.spending.errors import CapExceeded
from tests.integration.spending.spending_grounds import (
    CAP,
    DEBTOR,
    INNOCENT,
    OTHER_MERCHANT,
    left,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def listed(town):
    await town.list(DEBTOR)


async def test_a_hold_grows_within_the_cap(merchants, clock):
    held = await merchants.authorize(DEBTOR, 600, hold_seconds=3_600)
    grown = await merchants.increment(held, 300)
    assert (grown.amount_fen, grown.spending.remaining_fen) == (900, 100)
    assert grown.expires_at == held.expires_at
    with pytest.raises(CapExceeded):
        await merchants.increment(held, 101)
    longer = await merchants.increment(held, 100, hold_seconds=7_200)
    assert longer.expires_at > held.expires_at
    clock.move(seconds=7_199)
    assert (await merchants.capture(held, CAP)).captured_fen == CAP


async def test_a_hold_never_becomes_shorter(merchants):
    held = await merchants.authorize(DEBTOR, 600, hold_seconds=3_600)
    assert (await merchants.increment(held, 1, hold_seconds=1)).expires_at == held.expires_at


async def test_a_hold_ends_by_itself_and_stays_ended(merchants, clock):
    held = await merchants.authorize(DEBTOR, CAP, hold_seconds=60)
    clock.move(seconds=59, milliseconds=999)
    assert (await merchants.find(held)).status == "held"
    clock.move(milliseconds=1)
    assert (await merchants.find(held)).status == "expired"
    assert await left(merchants) == CAP
    with pytest.raises(Conflict) as refusal:
        await merchants.capture(held, 1)
    assert refusal.value.resolution.status == "expired"
    clock.move(seconds=-30)
    with pytest.raises(Conflict):
        await merchants.capture(held, 1)


async def test_room_that_a_lapsed_hold_gave_is_not_taken_back_by_a_slower_clock(merchants, clock):
    held = await merchants.authorize(DEBTOR, CAP, hold_seconds=60)
    clock.move(seconds=60)
    await merchants.authorize(DEBTOR, CAP)
    clock.move(seconds=-30)
    with pytest.raises(Conflict):
        await merchants.capture(held, CAP)
    assert (await merchants.find(held)).status == "expired"


@pytest.mark.parametrize("first", ["capture", "void"])
@pytest.mark.parametrize("second", ["capture", "void", "increment"])
async def test_a_second_resolution_names_the_first(merchants, first, second):
    held = await merchants.authorize(DEBTOR, 500)
    moves = {
        "capture": lambda: merchants.capture(held, 200),
        "void": lambda: merchants.void(held),
        "increment": lambda: merchants.increment(held, 1),
    }
    await moves[first]()
    with pytest.raises(Conflict) as refusal:
        await moves[second]()
    resolution = refusal.value.resolution
    expected = {"capture": ("captured", 200), "void": ("voided", 500)}[first]
    assert (resolution.status, resolution.amount_fen) == expected


async def test_no_more_is_captured_than_held_nor_refunded_than_captured(merchants):
    held = await merchants.authorize(DEBTOR, 500)
    with pytest.raises(Conflict, match="501 fen is more than the 500 fen"):
        await merchants.capture(held, 501)
    with pytest.raises(Conflict, match="nothing was captured"):
        await merchants.refund(held, 1)
    await merchants.capture(held, 300)
    await merchants.refund(held, 100)
    with pytest.raises(Conflict, match="201 fen is more than the 200 fen"):
        await merchants.refund(held, 201)


async def test_an_authorization_of_somebody_else_is_not_found(merchants):
    held = await merchants.authorize(DEBTOR, 500)
    for move in (
        lambda: merchants.find(held, by=OTHER_MERCHANT),
        lambda: merchants.capture(held, 1, by=OTHER_MERCHANT),
        lambda: merchants.void(held, by=OTHER_MERCHANT),
        lambda: merchants.refund(held, 1, by=OTHER_MERCHANT),
        lambda: merchants.increment(held, 1, by=OTHER_MERCHANT),
    ):
        with pytest.raises(NotFound):
            await move()


async def test_a_request_said_again_is_answered_as_before_and_done_once(town, merchants, clock):
    held = await merchants.authorize(DEBTOR, 600, key="a")
    clock.move(minutes=1)
    assert await merchants.authorize(DEBTOR, 600, key="a") == held
    captured = await merchants.capture(held, 500, key="b")
    assert await merchants.capture(held, 500, key="b") == captured
    await merchants.refund(held, 100, key="c")
    await merchants.refund(held, 100, key="c")
    assert await left(merchants) == CAP - 400
    await town.delist(DEBTOR)
    assert await merchants.authorize(DEBTOR, 600, key="a") == held


async def test_a_refusal_said_again_is_the_same_refusal(merchants):
    held = await merchants.authorize(DEBTOR, CAP)
    for _ in range(2):
        with pytest.raises(CapExceeded) as refusal:
            await merchants.authorize(DEBTOR, 1, key="x")
        assert refusal.value.spending.held_fen == CAP
        await merchants.void(held, key="v")


async def test_a_key_is_of_one_request_and_of_one_account(merchants):
    held = await merchants.authorize(DEBTOR, 100, key="a")
    for again in (
        lambda: merchants.authorize(DEBTOR, 101, key="a"),
        lambda: merchants.authorize(INNOCENT, 100, key="a"),
        lambda: merchants.capture(held, 100, key="a"),
        lambda: merchants.void(held, key="a"),
    ):
        with pytest.raises(IdempotencyKeyReused):
            await again()
    assert (await merchants.authorize(DEBTOR, 101, by=OTHER_MERCHANT, key="a")).id != held.id


async def test_a_reused_key_is_told_before_a_conflict(merchants):
    held = await merchants.authorize(DEBTOR, 100)
    await merchants.void(held, key="v")
    with pytest.raises(IdempotencyKeyReused):
        await merchants.capture(held, 1, key="v")


async def test_old_answers_are_forgotten_and_what_they_did_is_not(town, merchants, clock):
    held = await merchants.authorize(DEBTOR, 600, key="a")
    clock.move(hours=47)
    await town.store.forget_answers(clock.now())
    with pytest.raises(CapExceeded):
        await merchants.authorize(DEBTOR, 600, key="a")
    assert (await merchants.find(held)).status == "held"


@pytest.mark.parametrize("times", [2, 40])
async def test_one_request_said_many_times_at_once_holds_once(merchants, times):
    said = [merchants.authorize(DEBTOR, 100, key="a") for _ in range(times)]
    answers = await asyncio.gather(*said)
    assert len({answer.id for answer in answers}) == 1
    assert await left(merchants) == CAP - 100


async def test_orders_that_come_together_never_pass_the_cap(merchants):
    asked = [merchants.authorize(DEBTOR, 150) for _ in range(20)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    held = [answer for answer in answers if not isinstance(answer, CapExceeded)]
    assert len(held) == CAP // 150
    assert await left(merchants) == CAP % 150
