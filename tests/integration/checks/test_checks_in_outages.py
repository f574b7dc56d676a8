"""The answers of each outage, as a table; never `allow` for want of knowing."""

from collections.abc import Awaitable, Callable

import pytest

from cache.generation import Generation, encode_pointer
from cache.keys import Keys
from cache.lease import LEASE_S, VOUCH_MS
from cache.memory import MemoryStandingCache, MemoryStore
from checker.errors import Unavailable
from tests.integration.checks.checks_grounds import (
    DEBTOR,
    INNOCENT,
    NOWHERE,
    Grounds,
    listing,
    open_grounds,
    told,
)
from tests.support.cache_keys import first_key
from tests.support.positions import position

pytestmark = pytest.mark.anyio

POINTER = Keys("checker").pointer
UNAVAILABLE = "unavailable"
Damage = Callable[[Grounds], Awaitable[None]]


async def leave_whole(_grounds: Grounds) -> None:
    pass


async def take_away(grounds: Grounds) -> None:
    grounds.memory.reachable = False


async def close(grounds: Grounds) -> None:
    await grounds.cache.aclose()


async def lose_the_pointer(grounds: Grounds) -> None:
    assert grounds.memory.remove(POINTER)


async def lose_all_but_the_pointer(grounds: Grounds) -> None:
    for name in grounds.memory.names() - {POINTER}:
        assert grounds.memory.remove(name)


async def lose_the_buckets(grounds: Grounds) -> None:
    for name in [name for name in grounds.memory.names() if ":b:" in name]:
        assert grounds.memory.remove(name)


async def lose_everything(grounds: Grounds) -> None:
    for name in grounds.memory.names():
        grounds.memory.remove(name)


async def let_its_vouch_run_out(grounds: Grounds) -> None:
    grounds.clock.seconds += (VOUCH_MS + 1) / 1000


async def restart_with_what_it_held(grounds: Grounds) -> None:
    """Another run of the store: what an earlier one vouched for is not believed."""
    grounds.memory.run_id = "another"


async def hold_another_deployment_s(grounds: Grounds) -> None:
    other = MemoryStore()
    their_keys = first_key(bytes(32))
    foreign = MemoryStandingCache(other, token_keys=their_keys)

    async def nobody():
        for entry in ():
            yield entry

    built: Generation = await foreign.build(
        position=position(99),
        token_key=their_keys.current.fingerprint,
        count=0,
        entries=nobody(),
    )
    await foreign.switch(built)
    grounds.memory.strings |= other.strings
    assert encode_pointer(built) in grounds.memory.strings.values()


CACHE_LOST = (
    take_away,
    close,
    lose_the_pointer,
    lose_all_but_the_pointer,
    lose_the_buckets,
    lose_everything,
    let_its_vouch_run_out,
    restart_with_what_it_held,
    hold_another_deployment_s,
)
# Whether the replica's lease holds, what becomes of the cache, whether the registry answers → an
# innocent's answer, a debtor's answer. Nobody is refused but by the registry; and without a lease
# nobody is cleared but by a cache that is whole and vouched for, or by the registry.
TABLE: list[tuple[bool, Damage, bool, str, str]] = [
    (True, leave_whole, True, "allow", "deny"),
    (True, leave_whole, False, "allow", UNAVAILABLE),
    *((True, lost, True, "allow", "deny") for lost in CACHE_LOST),
    *((True, lost, False, "allow", UNAVAILABLE) for lost in CACHE_LOST),
    (False, leave_whole, True, "allow", "deny"),
    (False, leave_whole, False, "allow", UNAVAILABLE),
    *((False, lost, True, "allow", "deny") for lost in CACHE_LOST),
    *((False, lost, False, UNAVAILABLE, UNAVAILABLE) for lost in CACHE_LOST),
]


def named(row: tuple[bool, Damage, bool, str, str]) -> str:
    leased, damage, there, *_ = row
    lease = "lease" if leased else "no lease"
    return f"{lease}, {damage.__name__}, registry {'there' if there else 'away'}"


@pytest.mark.parametrize(
    ("leased", "damage", "registry_answers", "innocent", "debtor"), TABLE, ids=map(named, TABLE)
)
async def test_each_outage_leads_to_what_its_row_says(
    database_url: str,
    leased: bool,
    damage: Damage,
    registry_answers: bool,
    innocent: str,
    debtor: str,
) -> None:
    asked_url = None if registry_answers else NOWHERE
    async with open_grounds(database_url, asked_url=asked_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        if leased:
            await grounds.hold_lease()
        await damage(grounds)
        assert grounds.replica.holds_lease is leased
        for number, expected in ((INNOCENT, innocent), (DEBTOR, debtor)):
            if expected == UNAVAILABLE:
                with pytest.raises(Unavailable):
                    await grounds.ask(number)
            else:
                assert told(await grounds.ask(number)) == [expected]


async def test_a_lease_that_has_run_out_clears_nobody(database_url: str) -> None:
    async with open_grounds(database_url, asked_url=NOWHERE) as grounds:
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        await take_away(grounds)
        grounds.clock.seconds += LEASE_S - 0.001
        assert told(await grounds.ask(INNOCENT)) == ["allow"]
        grounds.clock.seconds += 0.001
        with pytest.raises(Unavailable):
            await grounds.ask(INNOCENT)


async def test_with_the_cache_away_the_registrys_word_lets_a_replica_go_on(
    database_url: str,
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        await take_away(grounds)
        grounds.clock.seconds += LEASE_S
        await grounds.replica.ask_word_once()
        decided = await grounds.ask(INNOCENT)
        assert (told(decided), decided.from_registry, grounds.statements) == (["allow"], 0, 0)


async def test_a_replica_that_the_list_has_left_behind_gets_no_word_to_go_on(
    database_url: str,
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        await take_away(grounds)
        await grounds.publish_elsewhere(listing(INNOCENT))
        grounds.clock.seconds += LEASE_S
        await grounds.replica.ask_word_once()
        assert not grounds.replica.holds_lease
        assert told(await grounds.ask(INNOCENT, DEBTOR)) == ["deny", "allow"]


@pytest.mark.parametrize(
    ("damage", "reports"),
    [
        (leave_whole, 0),
        (take_away, 0),
        (let_its_vouch_run_out, 0),
        (lose_the_buckets, 1),
        (lose_the_pointer, 1),
        (lose_everything, 1),
    ],
)
async def test_a_check_that_finds_a_part_missing_asks_for_a_rebuild(
    database_url: str, damage: Damage, reports: int
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        await damage(grounds)
        assert told(await grounds.ask(INNOCENT)) == ["allow"]
        assert grounds.found_incomplete == reports


async def test_before_any_list_nobody_is_cleared(database_url: str) -> None:
    async with open_grounds(database_url) as grounds:
        with pytest.raises(Unavailable):
            await grounds.ask(INNOCENT)


@pytest.mark.parametrize("leased", [True, False])
async def test_a_batch_is_refused_whole_when_one_of_it_cannot_be_told(
    database_url: str, leased: bool
) -> None:
    async with open_grounds(database_url, asked_url=NOWHERE) as grounds:
        await grounds.publish(listing(DEBTOR))
        if leased:
            await grounds.hold_lease()
        assert told(await grounds.ask(INNOCENT, INNOCENT)) == ["allow", "allow"]
        with pytest.raises(Unavailable):
            await grounds.ask(INNOCENT, DEBTOR)
