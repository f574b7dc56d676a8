"""What a cap does to sales: over the record and over its twin."""

import pytest

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import NATION
from checker.domain.service_terms import ResortVenue
from checker.domain.settings import Settings
from checker.errors import Conflict
from checker.spending.errors import CapExceeded
from tests.integration.spending.spending_grounds import (
    CAP,
    DEBTOR,
    INNOCENT,
    OTHER_MERCHANT,
    TOWN,
    TOWN_CAP,
    VILLAGE,
    VILLAGE_CAP,
    left,
    room,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def listed(town):
    await town.list(DEBTOR)


async def test_a_hold_takes_room_and_a_capture_releases_the_rest(merchants):
    held = await merchants.authorize(DEBTOR, 600, reference="STAY-1")
    assert (held.status, held.amount_fen, held.reference) == ("held", 600, "STAY-1")
    assert (held.spending.held_fen, held.spending.remaining_fen) == (600, CAP - 600)
    captured = await merchants.capture(held, 250)
    assert (captured.status, captured.captured_fen) == ("captured", 250)
    spending = await room(merchants)
    assert (spending.held_fen, spending.captured_fen) == (0, 250)
    assert spending.remaining_fen == CAP - 250


async def test_the_last_fen_can_be_held_and_not_one_more(merchants):
    await merchants.authorize(DEBTOR, CAP)
    with pytest.raises(CapExceeded) as refusal:
        await merchants.authorize(DEBTOR, 1)
    assert refusal.value.spending.remaining_fen == 0


async def test_all_merchants_count_together(merchants):
    await merchants.authorize(DEBTOR, 600)
    with pytest.raises(CapExceeded):
        await merchants.authorize(DEBTOR, 600, by=OTHER_MERCHANT)


async def test_a_void_and_a_refund_give_room_back(merchants):
    held = await merchants.authorize(DEBTOR, CAP)
    assert (await merchants.void(held)).status == "voided"
    held = await merchants.authorize(DEBTOR, CAP)
    await merchants.capture(held, CAP)
    refunded = await merchants.refund(held, 400)
    assert (refunded.status, refunded.refunded_fen) == ("captured", 400)
    assert await left(merchants) == 400
    assert (await merchants.refund(held, CAP - 400)).status == "refunded"
    assert await left(merchants) == CAP


@pytest.mark.parametrize("amount_fen", [1, CAP, 10**12])
async def test_nothing_is_kept_of_whom_no_cap_binds(town, merchants, amount_fen):
    answer = await merchants.authorize(INNOCENT, amount_fen)
    assert (answer.id, answer.status) == (None, "uncapped")
    assert await town.decisions() == []


async def test_an_officer_is_not_capped(town, merchants):
    await town.list_officer_of(3)
    assert (await merchants.authorize(3, 10**12)).status == "uncapped"


async def test_a_place_that_is_not_rated_has_no_cap(merchants):
    answer = await merchants.authorize(DEBTOR, 10**12, venue=ResortVenue.UNRATED)
    assert answer.status == "uncapped"


async def test_whoever_is_delisted_is_free_and_what_is_held_can_be_resolved(town, merchants):
    first, second = [await merchants.authorize(DEBTOR, 300) for _ in range(2)]
    await town.delist(DEBTOR)
    assert (await merchants.authorize(DEBTOR, 10**12)).status == "uncapped"
    assert (await merchants.increment(first, 10**11)).status == "uncapped"
    assert (await merchants.capture(first, 300)).status == "captured"
    assert (await merchants.void(second)).status == "voided"


async def test_a_listing_that_is_overdue_caps_nobody_but_wants_a_look(town, merchants):
    await town.list(4, overdue=True)
    answer = await merchants.authorize(4, 10**12)
    assert (answer.id, answer.status, answer.decision) == (None, "uncapped", "review")
    assert [outcome for outcome, _ in await town.decisions()] == ["review"]


async def test_a_permit_lifts_the_cap(town, merchants):
    await town.permit(DEBTOR)
    assert (await merchants.authorize(DEBTOR, 10**12)).status == "uncapped"


async def test_every_answer_that_a_cap_forms_is_kept_as_a_decision(town, merchants):
    held = await merchants.authorize(DEBTOR, 600)
    with pytest.raises(CapExceeded):
        await merchants.authorize(DEBTOR, 600)
    kept = await town.decisions()
    assert [outcome for outcome, _ in kept] == ["cap", "deny"]
    assert kept[0][1] == held.decision_id


async def test_a_place_without_a_cap_refuses_and_says_so(town):
    merchants = town.merchants({})
    with pytest.raises(Conflict, match="no cap is set"):
        await merchants.authorize(DEBTOR, 1)


async def test_documents_bound_together_count_together(town, merchants):
    await merchants.authorize(DEBTOR, 600)
    await town.bind(DEBTOR, (DEBTOR, "passport"))
    with pytest.raises(CapExceeded) as refusal:
        await merchants.authorize(DEBTOR, 600, kind="passport")
    assert refusal.value.spending.held_fen == 600


async def test_what_was_spent_before_two_documents_were_bound_counts_together(town, merchants):
    await town.list(5)
    await merchants.authorize(DEBTOR, 700)
    held = await merchants.authorize(5, 700)
    await town.bind(DEBTOR, 5)
    spending = await room(merchants)
    assert (spending.held_fen, spending.remaining_fen) == (1_400, 0)
    assert (await merchants.capture(held, 700)).captured_fen == 700


async def test_a_person_bound_in_two_steps_is_one(town, merchants):
    await town.bind(DEBTOR, (DEBTOR, "passport"))
    await town.bind((DEBTOR, "passport"), (9, "passport"))
    await merchants.authorize(DEBTOR, 500)
    await merchants.authorize(DEBTOR, 400, kind="passport")
    with pytest.raises(CapExceeded) as refusal:
        await merchants.authorize(9, 101, kind="passport")
    assert refusal.value.spending.held_fen == 900


async def test_a_place_with_a_counter_of_its_own_counts_for_itself(merchants):
    await merchants.authorize(DEBTOR, CAP)
    assert (await room(merchants, jurisdiction=TOWN)).limit_fen == TOWN_CAP
    await merchants.authorize(DEBTOR, TOWN_CAP, jurisdiction=TOWN)
    assert await left(merchants, jurisdiction=TOWN) == 0


async def test_a_cap_of_a_place_on_the_national_counter_counts_what_was_spent_elsewhere(merchants):
    await merchants.authorize(DEBTOR, VILLAGE_CAP - 1)
    assert await left(merchants, jurisdiction=VILLAGE) == 1
    await merchants.authorize(DEBTOR, 1, jurisdiction=VILLAGE)
    assert await left(merchants) == CAP - VILLAGE_CAP


async def test_the_period_begins_anew_at_midnight_in_shanghai(merchants, clock):
    held = await merchants.authorize(DEBTOR, TOWN_CAP, jurisdiction=TOWN)
    clock.move(hours=11, minutes=59, seconds=59)
    assert await left(merchants, jurisdiction=TOWN) == 0
    clock.move(seconds=1)
    assert await left(merchants, jurisdiction=TOWN) == TOWN_CAP
    await merchants.capture(held, TOWN_CAP)
    assert await left(merchants, jurisdiction=TOWN) == TOWN_CAP, "it counts when it was held"


async def test_a_refund_gives_room_in_the_period_in_which_it_was_held(merchants, clock):
    held = await merchants.authorize(DEBTOR, CAP)
    await merchants.capture(held, CAP)
    clock.move(days=10)
    spending = (await merchants.authorize(DEBTOR, CAP)).spending
    assert spending.captured_fen == 0
    await merchants.refund(held, CAP)
    assert await left(merchants) == 0


@pytest.mark.parametrize("limit_fen", [0, 500, 600])
async def test_a_lower_cap_leaves_holds_and_shows_no_room_below_nothing(town, merchants, limit_fen):
    held = await merchants.authorize(DEBTOR, 600)
    lowered = town.merchants(
        {NATION: Settings(resort_cap_fen=limit_fen, resort_cap_period=CapPeriod.MONTH)}
    )
    spending = await room(lowered)
    assert (spending.limit_fen, spending.held_fen, spending.remaining_fen) == (limit_fen, 600, 0)
    assert (await lowered.capture(held, 600, key="after")).status == "captured"


async def test_a_cap_by_another_period_counts_by_it(town, merchants, clock):
    held = await merchants.authorize(DEBTOR, 700)
    await merchants.capture(held, 700)
    clock.move(days=10)
    assert await left(merchants) == CAP
    by_year = {NATION: Settings(resort_cap_fen=CAP, resort_cap_period=CapPeriod.YEAR)}
    assert await left(town.merchants(by_year)) == CAP - 700
