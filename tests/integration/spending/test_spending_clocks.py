"""A clock that goes back moves no money into the past: over the record and over its twin."""

import random

import pytest

from checker.domain.clock import shanghai_day
from checker.errors import CheckerError, Conflict, Unavailable
from checker.spending.book import CLOCK_SKEW_MAX
from tests.integration.spending.spending_grounds import CAP, DEBTOR, MERCHANT, left

pytestmark = pytest.mark.anyio

ORDERS = 80
SECONDS = (0, 1, 600, 30_000, 200_000, -1, -11, -600, -30_000, -200_000, -3_000_000)


@pytest.fixture(autouse=True)
async def listed(town):
    await town.list(DEBTOR)


async def test_a_hold_on_a_day_before_the_newest_is_refused(merchants, clock):
    await merchants.authorize(DEBTOR, CAP)
    clock.move(days=-30)
    with pytest.raises(Unavailable):
        await merchants.authorize(DEBTOR, CAP)
    clock.move(days=30)
    assert await left(merchants) == 0


async def test_a_hold_earlier_on_the_same_day_is_counted_on_that_day(merchants, clock):
    await merchants.authorize(DEBTOR, 400)
    clock.move(hours=-3)
    await merchants.authorize(DEBTOR, 500)
    assert await left(merchants) == CAP - 900


async def test_a_move_long_before_the_newest_step_is_refused_and_may_be_said_again(
    merchants, clock
):
    held = await merchants.authorize(DEBTOR, 400)
    clock.move(seconds=-CLOCK_SKEW_MAX.total_seconds() - 1)
    with pytest.raises(Unavailable):
        await merchants.capture(held, 400, key="again")
    clock.move(seconds=1)
    assert (await merchants.capture(held, 400, key="again")).status == "captured"


async def test_a_step_within_the_skew_of_clocks_stands_at_the_newest_steps_instant(
    town, merchants, clock
):
    held = await merchants.authorize(DEBTOR, 400)
    clock.move(seconds=-2)
    await merchants.capture(held, 400)
    found = await town.store.find(held.id)
    assert found.steps[1].at == found.steps[0].at


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_the_clock_does_no_period_goes_past_its_cap_and_no_step_goes_back(
    town, merchants, clock, seed
):
    rng = random.Random(seed)
    held = []
    for _ in range(ORDERS):
        clock.move(seconds=rng.choice(SECONDS))
        try:
            if held and rng.random() < 0.6:
                one = rng.choice(held)
                move = rng.choice([merchants.capture, merchants.increment, merchants.refund])
                await move(one, rng.randint(1, 200))
            else:
                days = rng.choice([1, 3_600, 1_000_000])
                held.append(
                    await merchants.authorize(
                        DEBTOR, rng.randint(1, 400), by=MERCHANT, hold_seconds=days
                    )
                )
        except (CheckerError, Conflict):
            continue
    found = [await town.store.find(one.id) for one in held]
    counted = [one.opening.counted_at for one in found]
    assert [shanghai_day(at) for at in counted] == sorted(map(shanghai_day, counted))
    for one in found:
        assert [step.at for step in one.steps] == sorted(step.at for step in one.steps)
    months = {(shanghai_day(at).year, shanghai_day(at).month) for at in counted}
    for month in months:
        spent = sum(
            one.held_fen + one.captured_fen - one.refunded_fen
            for one, at in zip(found, counted, strict=True)
            if (shanghai_day(at).year, shanghai_day(at).month) == month
        )
        assert spent <= CAP
