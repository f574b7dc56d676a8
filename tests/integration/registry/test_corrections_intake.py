"""The intake of corrections: contents, filers and bounds."""

import asyncio
from contextlib import aclosing

import pytest

from checker.corrections.correction import Ruling
from checker.corrections.corrections import Corrections
from checker.corrections.intake import WAITING_MAX, WAITING_OF_SENDER_MAX, Limits
from checker.errors import NotFound, QuotaExceeded, Unavailable
from tests.integration.registry.correction_filings import (
    COURT,
    OTHER_SELLER,
    SELLER,
    about,
    listed_for_correction,
    refused,
    rule,
)
from tests.support.operation_lines import list_
from tests.support.registry_grounds import (
    accepted,
    check_of,
    decide,
    outcome_of,
    person_listing,
    resident_id,
)

pytestmark = pytest.mark.anyio

FAR = "0190a000-0000-7000-8000-000000000000"


@pytest.fixture
async def listed(node):
    return await listed_for_correction(node)


async def test_a_hidden_listing_is_corrected_by_decision_alone(listed):
    decision_id = await refused(listed, 3)
    with pytest.raises(NotFound):
        await listed.corrections.file(about(3))
    with pytest.raises(NotFound):
        await listed.corrections.file(about(3, account_id=SELLER))
    filed = await listed.corrections.file(about(decision_id=decision_id))
    await rule(listed, filed)
    assert await outcome_of(listed, 3) == "allow"


async def test_a_listing_that_is_not_published_yet_is_hidden(listed):
    await accepted(listed, list_(person_listing(5, published_on="2026-11-24")))
    with pytest.raises(NotFound):
        await listed.corrections.file(about(5))
    assert await listed.corrections.file(about(5, account_id=COURT, sees_all=True))


async def test_an_unknown_listing_is_not_found(listed):
    for unknown in ("listing-99", "\0", "", "9" * 100):
        with pytest.raises(NotFound):
            await listed.corrections.file(about(listing_id=unknown))


async def test_an_institution_files_about_its_own_decisions_alone(listed):
    decision_id = await refused(listed, 1)
    with pytest.raises(NotFound):
        await listed.corrections.file(about(decision_id=decision_id, account_id=OTHER_SELLER))
    own = await listed.corrections.file(about(decision_id=decision_id, account_id=SELLER))
    shouted = about(decision_id=decision_id.upper(), account_id=SELLER)
    assert await listed.corrections.file(shouted) == own
    assert own.account_id == SELLER
    assert await listed.corrections.file(
        about(decision_id=decision_id, account_id=COURT, sees_all=True)
    )


async def test_a_plain_allow_left_nothing_to_correct(listed):
    allowed = await decide(listed, check_of(resident_id(9)))
    with pytest.raises(NotFound):
        await listed.corrections.file(about(decision_id=allowed.ids[0]))


async def test_the_same_words_again_are_the_same_correction_until_it_is_ruled_on(listed):
    first = await listed.corrections.file(about(1))
    assert await listed.corrections.file(about(1)) == first
    other_ground = await listed.corrections.file(about(1, ground="另有理由"))
    assert other_ground.id != first.id
    await rule(listed, first, Ruling.REJECTED)
    assert (await listed.corrections.file(about(1))).id not in {first.id, other_ground.id}


async def test_words_said_at_once_are_one_correction(listed, other_node):
    filed = await asyncio.gather(
        *(each.corrections.file(about(1)) for each in (listed, other_node) * 5)
    )
    assert len({each.id for each in filed}) == 1


async def test_late_is_what_comes_after_ten_days_and_it_is_taken(listed, clock):
    decision_id = await refused(listed, 1)
    assert (await listed.corrections.file(about(1))).late
    clock.move(days=10)
    assert not (await listed.corrections.file(about(decision_id=decision_id))).late
    clock.move(days=1)
    again = about(decision_id=decision_id, ground="另有理由")
    assert (await listed.corrections.file(again)).late


@pytest.fixture
async def bounded(listed, clock):
    """A deployment that takes few without a key."""
    corrections = Corrections(
        deadlines=listed.policies.deadlines,
        engine=listed.engine,
        sealer=listed.sealer,
        clock=clock,
        changes=listed.changes,
        in_force=listed.barrier.wait,
        limits=Limits(hourly_max=3, open_max=2),
    )
    async with aclosing(corrections):
        yield corrections


async def test_so_many_open_ones_about_a_listing_are_taken_without_a_key(bounded, listed):
    first = await bounded.file(about(1, ground="1"))
    await bounded.file(about(1, ground="2"))
    with pytest.raises(QuotaExceeded):
        await bounded.file(about(1, ground="3"))
    assert await bounded.file(about(1, ground="1")) == first
    await bounded.file(about(1, ground="3", account_id=SELLER))
    # The person herself, who has the decision's id, is kept off by nobody.
    await bounded.file(about(decision_id=await refused(listed, 1)))
    await bounded.rule(first.id, Ruling.REJECTED, ruled_by=COURT)
    await bounded.file(about(1, ground="3"))


async def test_so_many_an_hour_are_taken_without_a_key_by_each_way(bounded, listed, clock):
    decision_id = await refused(listed, 1)
    for index in (1, 2, 1):
        await bounded.file(about(index, ground=str(clock.now())))
        clock.move(minutes=10)
    with pytest.raises(QuotaExceeded) as refusal:
        await bounded.file(about(2, ground="4"))
    assert refusal.value.retry_after_s == 30 * 60
    await bounded.file(about(decision_id=decision_id))
    await bounded.file(about(2, account_id=SELLER))
    clock.move(minutes=30)
    await bounded.file(about(2, ground="4"))


async def test_a_flood_about_listings_keeps_nobody_waiting_who_holds_a_decision(listed):
    decision_id = await refused(listed, 1)
    flood = [
        listed.corrections.file(about(1, ground=str(n), sender=f"192.0.2.{n}"))
        for n in range(WAITING_MAX + 30)
    ]
    *flooded, filed, keyed = await asyncio.gather(
        *flood,
        listed.corrections.file(about(decision_id=decision_id, sender="198.51.100.1")),
        listed.corrections.file(about(2, account_id=SELLER)),
        return_exceptions=True,
    )
    assert any(isinstance(each, Unavailable) for each in flooded)
    assert filed.decision_id == decision_id
    assert keyed.account_id == SELLER


async def test_few_filings_of_one_sender_wait_and_the_others_are_refused(listed):
    decision_id = await refused(listed, 1)
    flood = [
        listed.corrections.file(about(decision_id=FAR, sender="192.0.2.7")) for _ in range(120)
    ]
    *flooded, filed = await asyncio.gather(
        *flood,
        listed.corrections.file(about(decision_id=decision_id, sender="198.51.100.1")),
        return_exceptions=True,
    )
    assert {type(each) for each in flooded} == {NotFound, QuotaExceeded}
    assert sum(isinstance(each, NotFound) for each in flooded) == WAITING_OF_SENDER_MAX
    assert filed.decision_id == decision_id


async def test_new_filings_are_counted_by_their_sender_and_repeated_ones_are_not(listed):
    first = await listed.corrections.file(about(1, ground="1", sender="192.0.2.7"))
    for ground in ("2", "3"):
        await listed.corrections.file(about(1, ground=ground, sender="192.0.2.7"))
    with pytest.raises(QuotaExceeded):
        await listed.corrections.file(about(1, ground="4", sender="192.0.2.7"))
    assert await listed.corrections.file(about(1, ground="1", sender="192.0.2.7")) == first
    assert await listed.corrections.file(about(1, ground="4", sender="192.0.2.8"))
    assert await listed.corrections.file(about(1, ground="4", account_id=SELLER))
