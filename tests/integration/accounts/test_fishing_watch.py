"""A normal hotel is never slowed, a fisher is, and whoever is cleared goes on."""

from datetime import timedelta
from hashlib import blake2b
from itertools import islice
from random import Random

import pytest

from cache.counting.tally import MemoryTally
from checker.accounts.flags import Flags
from checker.accounts.watch import FishingWatch
from checker.domain.fishing import FishingGround, FishingSettings
from checker.operators.action import AT_THE_SERVER
from loadtest.population import DEFAULT_DAY, Population
from tests.integration.accounts.access_grounds import SLOWED_ITEMS

pytestmark = pytest.mark.anyio

LISTINGS = 500
HOURS = 4
SECONDS = 12
GUESTS_A_SECOND = 25


class Street:
    """Hotels of one kind and whoever else asks, on one node; people come from a population."""

    def __init__(self, access):
        self.access = access
        self.told = []
        self.flags = Flags(access.engine, access.vault, access.clock)
        self.settings = FishingSettings()
        self.watch = FishingWatch(
            tally=MemoryTally(lambda: access.clock.now().timestamp()),
            flags=self.flags,
            settings=self.settings,
            clock=access.clock,
        )
        self.callers = {}
        self.keys = {}

    async def open(self, *names):
        for name in names:
            made = await self.access.key(await self.access.account(name))
            self.keys[name] = made.key
            self.callers[name] = await self.access.caller(made.key)

    def ask(self, name, listed_share, items, *, seed=1):
        """Ask about people of whom a share is listed."""
        rng = Random(f"{name} {seed}")
        caller = self.callers[name]
        for _ in range(items):
            self.watch.asked(caller, 1)
            if rng.random() < listed_share:
                person = rng.randrange(LISTINGS)
                self.watch.adverse(caller, person.to_bytes(16), mismatched=False)

    def receive(self, name, guest):
        """Ask about a guest; whether the answer was adverse."""
        self.watch.asked(self.callers[name], 1)
        outcome = guest.expected(DEFAULT_DAY)
        if outcome != "allow":
            token = blake2b(guest.document.number.encode(), digest_size=16).digest()
            self.watch.adverse(self.callers[name], token, mismatched=outcome == "review")
        return outcome != "allow"

    async def flush(self):
        await self.watch.flush(self.told.append)

    async def flag_of(self, name):
        return (await self.access.accounts.named(name)).flag

    async def slowed(self, name):
        await self.access.ring.refresh()
        caller = await self.access.caller(self.keys[name])
        return [limit.items for limit in caller.limits if limit.window.name == "slowed"]


HOTELS = tuple(f"hotel {number}" for number in range(6))


@pytest.fixture
async def street(access):
    street = Street(access)
    await street.open(*HOTELS, "fisher")
    return street


async def usual_hour(street, seed=1):
    for name in HOTELS:
        street.ask(name, 0.015, 200, seed=seed)
    await street.flush()


async def test_a_normal_hotel_never_trips_it_however_long_it_sells(street):
    """The crowd of the load tests, 2 % of it listed, hour after hour, judged each second."""
    guests = Population(7, LISTINGS).crowd(HOURS * SECONDS * len(HOTELS) * GUESTS_A_SECOND, 0.02)
    adverse = 0
    for _ in range(HOURS):
        for _ in range(SECONDS):
            for name in HOTELS:
                for guest in islice(guests, GUESTS_A_SECOND):
                    adverse += street.receive(name, guest)
            await street.flush()
            street.access.clock.move(seconds=1)
        street.access.clock.move(hours=1)
    assert adverse > HOURS * len(HOTELS)
    assert street.told == []
    assert [await street.flag_of(name) for name in HOTELS] == [None] * len(HOTELS)


async def test_a_fisher_is_slowed_and_shown_while_the_hotels_go_on(street):
    await usual_hour(street)
    street.ask("fisher", 0.5, 300)
    await street.flush()
    assert street.told == [FishingGround.ADVERSE_SHARE]
    flag = await street.flag_of("fisher")
    assert (flag.ground, flag.items) == (FishingGround.ADVERSE_SHARE, 300)
    assert flag.marked / flag.items > 0.3
    assert await street.slowed("fisher") == [SLOWED_ITEMS]
    assert await street.slowed(HOTELS[0]) == []
    flagged = await street.access.accounts.page(after=0, limit=99, flagged=True)
    assert [each.name for each in flagged] == ["fisher"]


async def test_who_tries_names_on_one_number_is_found_too(street):
    await usual_hour(street)
    fisher = street.callers["fisher"]
    street.watch.asked(fisher, 200)
    for _ in range(11):
        street.watch.adverse(fisher, bytes(16), mismatched=True)
    await street.flush()
    assert street.told == [FishingGround.MISMATCH_SHARE]


async def test_asking_again_about_the_same_listed_guest_is_no_fishing(street):
    await usual_hour(street)
    hotel = street.callers[HOTELS[0]]
    street.watch.asked(hotel, 100)
    for _ in range(100):
        street.watch.adverse(hotel, bytes(16), mismatched=False)
    await street.flush()
    assert street.told == []


async def test_look_ups_that_end_in_allow_are_fishing_like_adverse_answers(street):
    await usual_hour(street)
    fisher = street.callers["fisher"]
    street.watch.asked(fisher, 300)
    street.watch.looked_up(fisher, (person.to_bytes(16) for person in range(100)))
    await street.flush()
    assert street.told == [FishingGround.ADVERSE_SHARE]


async def test_it_is_flagged_once_and_slowed_again_only_after_its_time(street):
    await usual_hour(street)
    for _ in range(3):
        street.ask("fisher", 0.5, 300)
        await street.flush()
        street.access.clock.move(seconds=40)
    assert len(street.told) == 1
    street.access.clock.move(hours=1)
    assert await street.slowed("fisher") == []
    assert await street.flag_of("fisher") is not None
    await usual_hour(street, seed=2)
    street.ask("fisher", 0.5, 300)
    await street.flush()
    assert len(street.told) == 2
    assert await street.slowed("fisher") == [SLOWED_ITEMS]


async def test_whom_an_operator_has_cleared_is_not_judged_again_by_the_same_hour(street):
    await usual_hour(street)
    street.ask("fisher", 0.5, 300)
    await street.flush()
    account = await street.access.accounts.named("fisher")
    await street.flags.clear(account.id, by=AT_THE_SERVER)
    assert await street.slowed("fisher") == []
    assert await street.flag_of("fisher") is None
    street.access.clock.move(seconds=40)
    street.ask("fisher", 0.5, 300)
    await street.flush()
    assert len(street.told) == 1
    street.access.clock.move(hours=1)
    await usual_hour(street, seed=2)
    street.ask("fisher", 0.5, 300)
    await street.flush()
    assert len(street.told) == 2


async def test_who_is_slowed_is_let_go_at_the_instant_though_nothing_is_written(street):
    await usual_hour(street)
    street.ask("fisher", 0.5, 300)
    await street.flush()
    street.access.clock.move(minutes=59, seconds=59)
    assert await street.slowed("fisher") == [SLOWED_ITEMS]
    street.access.clock.instant += timedelta(seconds=1)
    assert await street.slowed("fisher") == []
