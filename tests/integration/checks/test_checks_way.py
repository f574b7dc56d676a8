"""The way of a check while all is well: who costs a statement, and which list answers."""

from datetime import timedelta
from typing import Any

import pytest

from checker.checks.in_slices import SLICE_CHECKS
from checker.domain.service import Rail, Resort
from checker.domain.service_terms import ResortVenue, Seat
from checker.errors import Unavailable
from tests.integration.checks.checks_grounds import (
    AT,
    DEBTOR,
    INNOCENT,
    NOWHERE,
    OFFICER,
    STALE_AFTER_MS,
    listing,
    open_grounds,
    reasons,
    told,
)
from tests.support.postgres_trips import counted_line

pytestmark = pytest.mark.anyio

SLOW_TRAIN = Rail(train="K511", seat=Seat.HARD_SEAT)
RESORT = Resort(venue=ResortVenue.RATED_RESORT, amount_fen=1)
COMPANY = "91440882MA4UX00117"
MORE_LINKS_THAN_AN_OUTLINE_HOLDS = 13


def listing_of_an_officer(listing_id: str = "1", **changes: Any) -> dict[str, Any]:
    """Return the listing of a company whose legal representative is the officer."""
    return listing(
        DEBTOR,
        listing_id,
        party={
            "type": "organization",
            "name": "示例有限公司",
            "documents": [{"type": "uscc", "number": COMPANY}],
        },
        officers=[
            {
                "role": "legal_representative",
                "name": "陈示例",
                "documents": [{"type": "resident_id", "number": OFFICER}],
            }
        ],
        **changes,
    )


async def test_an_innocent_costs_no_statement(database_url: str) -> None:
    async with open_grounds(database_url) as grounds:
        version = await grounds.publish(listing(DEBTOR))
        decided = await grounds.ask(INNOCENT)
        assert (told(decided), decided.from_registry, grounds.statements) == (["allow"], 0, 0)
        assert decided.list.version == version


async def test_an_innocent_is_cleared_by_the_nodes_own_replica_alone(database_url: str) -> None:
    async with open_grounds(database_url) as grounds:
        version = await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        await grounds.cache.aclose()
        decided = await grounds.ask(INNOCENT, INNOCENT)
        assert told(decided) == ["allow", "allow"]
        assert (decided.list.version, decided.from_registry, grounds.statements) == (version, 0, 0)


@pytest.mark.parametrize("numbers", [(DEBTOR,), (DEBTOR, OFFICER) * SLICE_CHECKS])
async def test_nobody_is_looked_up_for_a_service_that_nothing_restricts(
    database_url: str, numbers: tuple[str, ...]
) -> None:
    async with open_grounds(database_url, asked_url=NOWHERE) as grounds:
        version = await grounds.publish(listing(DEBTOR), listing(OFFICER, "2"))
        await grounds.hold_lease()
        await grounds.cache.aclose()
        decided = await grounds.ask(*numbers, service=SLOW_TRAIN)
        assert set(told(decided)) == {"allow"}
        assert (decided.from_registry, decided.maybes, grounds.statements) == (0, frozenset(), 0)
        assert (decided.list.version, decided.list.stale) == (version, False)
        assert await grounds.kept() == []


async def test_a_service_that_nothing_restricts_is_allowed_only_by_a_list_in_force(
    database_url: str,
) -> None:
    async with open_grounds(database_url, asked_url=NOWHERE) as grounds:
        version = await grounds.publish(listing(DEBTOR))
        assert (await grounds.ask(DEBTOR, service=SLOW_TRAIN)).list.version == version
        await grounds.cache.aclose()
        with pytest.raises(Unavailable):
            await grounds.ask(DEBTOR, service=SLOW_TRAIN)


@pytest.mark.parametrize("leased", [True, False])
async def test_a_look_up_that_ends_in_allow_is_a_maybe_and_costs_no_statement(
    database_url: str, leased: bool
) -> None:
    """The measure caps debtors alone, so an officer is looked up and allowed."""
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing_of_an_officer())
        if leased:
            await grounds.hold_lease()
        decided = await grounds.ask(INNOCENT, OFFICER, INNOCENT, service=RESORT)
        assert told(decided) == ["allow", "allow", "allow"]
        assert (decided.from_registry, grounds.statements) == (0, 0)
        assert decided.maybes == {1}
        assert await grounds.kept() == []


@pytest.mark.parametrize("leased", [True, False])
async def test_what_is_adverse_is_confirmed_by_one_statement_and_kept_by_another(
    database_url: str, leased: bool
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR), listing(OFFICER, "2"))
        if leased:
            await grounds.hold_lease()
        decided = await grounds.ask(DEBTOR, INNOCENT, OFFICER)
        assert told(decided) == ["deny", "allow", "deny"]
        assert reasons(decided) == ["1", "2"]
        assert (decided.from_registry, grounds.statements) == (2, 2)
        kept = await grounds.kept()
        assert [str(row.id) for row in kept] == [decided.ids[0], decided.ids[2]]
        assert decided.maybes == {0, 2}


async def test_an_adverse_check_takes_two_round_trips_to_the_registry(database_url: str) -> None:
    """One trip reads, and one trip keeps: nobody begins a transaction, and nobody commits it."""
    async with (
        counted_line(database_url) as line,
        open_grounds(database_url, asked_url=line.url) as grounds,
    ):
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        await grounds.ask(DEBTOR)
        line.trips = 0
        for _ in range(10):
            assert told(await grounds.ask(DEBTOR)) == ["deny"]
        assert line.trips == 10 * 2


async def test_a_decision_is_not_kept_by_a_list_that_has_moved_on(database_url: str) -> None:
    async with (
        counted_line(database_url) as line,
        open_grounds(database_url, asked_url=line.url) as grounds,
    ):
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        await grounds.ask(DEBTOR)

        async def delist_before_the_second(trip: int) -> None:
            if trip == 2:
                await grounds.publish_elsewhere(listing(OFFICER))

        line.trips, line.before_trip = 0, delist_before_the_second
        decided = await grounds.ask(DEBTOR)
        assert told(decided) == ["allow"]
        assert len(await grounds.kept()) == 1
        assert decided.list.version == 2


async def test_whom_the_registry_no_longer_lists_is_allowed_whatever_the_cache_says(
    database_url: str,
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        version = await grounds.publish_elsewhere(listing(OFFICER))
        decided = await grounds.ask(DEBTOR)
        assert told(decided) == ["allow"]
        assert decided.list.version == version
        assert await grounds.kept() == []


@pytest.mark.parametrize("leased", [True, False])
async def test_a_batch_speaks_of_one_version_when_the_list_moves_on_in_between(
    database_url: str, leased: bool
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        if leased:
            await grounds.hold_lease()
        version = await grounds.publish_elsewhere(listing(OFFICER))
        decided = await grounds.ask(DEBTOR, OFFICER, INNOCENT)
        assert told(decided) == ["allow", "deny", "allow"]
        assert (decided.list.version, decided.from_registry) == (version, 3)
        assert [row.list_version for row in await grounds.kept()] == [version]


async def test_whom_the_replica_ruled_out_is_asked_about_again_by_a_cache_that_is_ahead(
    database_url: str,
) -> None:
    """Else one batch would clear two persons of whom each list holds one."""
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        version = await grounds.publish(listing(OFFICER))
        decided = await grounds.ask(DEBTOR, OFFICER, INNOCENT)
        assert told(decided) == ["allow", "deny", "allow"]
        assert (decided.list.version, decided.from_registry) == (version, 1)


async def test_more_links_than_an_outline_holds_are_read_from_the_registry(
    database_url: str,
) -> None:
    lines = [
        listing_of_an_officer(str(place), published_on=f"2016-07-{place + 1:02d}")
        for place in range(MORE_LINKS_THAN_AN_OUTLINE_HOLDS)
    ]
    async with open_grounds(database_url) as grounds:
        await grounds.publish(*lines)
        decided = await grounds.ask(OFFICER)
        assert reasons(decided) == [line["id"] for line in lines]
        assert told(await grounds.ask(OFFICER, service=RESORT)) == ["allow"]
        assert grounds.statements == 1
        assert len(await grounds.kept()) == 1


async def test_a_batch_of_nothing_is_answered_from_the_list_in_force(database_url: str) -> None:
    async with open_grounds(database_url) as grounds:
        version = await grounds.publish(listing(DEBTOR))
        decided = await grounds.ask()
        assert (decided.decisions, decided.list.version) == ((), version)


@pytest.mark.parametrize("number", [INNOCENT, DEBTOR])
async def test_a_list_is_stale_once_its_courts_were_silent_for_too_long(
    database_url: str, number: str
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        for silence_ms, stale in ((STALE_AFTER_MS, False), (STALE_AFTER_MS + 1, True)):
            grounds.clock.instant = AT + timedelta(milliseconds=silence_ms)
            decided = await grounds.ask(number)
            assert (decided.list.stale, decided.list.as_of) == (stale, "2026-11-23T01:02:03.456Z")


async def test_a_listing_begins_and_ends_with_the_day_in_shanghai(database_url: str) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR, published_on="2026-11-24", expires_on="2026-11-25"))
        days = []
        for hours in (14, 15, 38, 39):  # AT is 09:02 in Shanghai: midnight is within the 15th hour
            grounds.clock.instant = AT + timedelta(hours=hours)
            days += told(await grounds.ask(DEBTOR))
        assert days == ["allow", "deny", "deny", "allow"]
