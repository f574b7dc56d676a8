"""What each outage leads to, as a table; never `allow` for want of knowing."""

from collections.abc import Awaitable, Callable

import pytest
from checks_grounds import (
    DEBTOR,
    INNOCENT,
    NOWHERE,
    PAUSE_S,
    Grounds,
    listing,
    open_grounds,
    told,
)

from cache.generation import Generation, encode_pointer
from cache.keys import Keys
from cache.memory import Memory, MemoryStandingCache
from checker.errors import Unavailable

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


async def lose_everything(grounds: Grounds) -> None:
    for name in grounds.memory.names():
        grounds.memory.remove(name)


async def fall_behind(grounds: Grounds) -> None:
    await grounds.publish_elsewhere(listing(DEBTOR), listing(DEBTOR, "2"))
    await grounds.see_newest()


async def hold_another_deployment_s(grounds: Grounds) -> None:
    other = Memory()
    foreign = MemoryStandingCache(other, token_key="another")

    async def nobody():
        for entry in ():
            yield entry

    built: Generation = await foreign.build(
        version=99, as_of_ms=0, token_key="another", count=0, entries=nobody()
    )
    await foreign.switch(built)
    grounds.memory.strings |= other.strings
    assert encode_pointer(built) in grounds.memory.strings.values()


CACHE_LOST = (
    take_away,
    close,
    lose_the_pointer,
    lose_all_but_the_pointer,
    lose_everything,
    fall_behind,
    hold_another_deployment_s,
)
# What becomes of the cache, whether the registry answers → an innocent's answer, a debtor's answer.
TABLE: list[tuple[Damage, bool, str, str]] = [
    (leave_whole, True, "allow", "deny"),
    (leave_whole, False, "allow", UNAVAILABLE),
    *((lost, True, "allow", "deny") for lost in CACHE_LOST),
    *((lost, False, UNAVAILABLE, UNAVAILABLE) for lost in CACHE_LOST),
]


@pytest.mark.parametrize(
    ("damage", "registry_answers", "innocent", "debtor"),
    TABLE,
    ids=[
        f"{damage.__name__}, registry {'there' if there else 'away'}" for damage, there, *_ in TABLE
    ],
)
async def test_each_outage_leads_to_what_its_row_says(
    database_url: str, damage: Damage, registry_answers: bool, innocent: str, debtor: str
) -> None:
    asked_url = None if registry_answers else NOWHERE
    async with open_grounds(database_url, asked_url=asked_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        await damage(grounds)
        for number, expected in ((INNOCENT, innocent), (DEBTOR, debtor)):
            if expected == UNAVAILABLE:
                with pytest.raises(Unavailable):
                    await grounds.ask(number)
            else:
                assert told(await grounds.ask(number)) == [expected]


@pytest.mark.parametrize("damage", [lose_all_but_the_pointer, lose_everything])
async def test_a_check_that_finds_a_part_missing_asks_for_a_rebuild(
    database_url: str, damage: Damage
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        assert not await grounds.publisher.look()
        await damage(grounds)
        assert (await grounds.ask(INNOCENT)).from_registry == 1
        assert await grounds.publisher.look()
        assert (await grounds.ask(INNOCENT)).from_registry == 0


async def test_before_any_list_nobody_is_cleared(database_url: str) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publisher.look()
        with pytest.raises(Unavailable):
            await grounds.ask(INNOCENT)


async def test_a_batch_is_refused_whole_when_one_of_it_cannot_be_told(database_url: str) -> None:
    async with open_grounds(database_url, asked_url=NOWHERE) as grounds:
        await grounds.publish(listing(DEBTOR))
        assert told(await grounds.ask(INNOCENT, INNOCENT)) == ["allow", "allow"]
        with pytest.raises(Unavailable):
            await grounds.ask(INNOCENT, DEBTOR)


async def test_behind_a_registry_that_failed_nobody_waits_until_a_trial_is_due(
    database_url: str,
) -> None:
    async with open_grounds(database_url, asked_url=NOWHERE) as grounds:
        await grounds.publish(listing(DEBTOR))
        told_by = []
        for seconds in (0.0, PAUSE_S / 2, PAUSE_S):
            grounds.seconds = seconds
            with pytest.raises(Unavailable) as refused:
                await grounds.ask(DEBTOR)
            told_by.append(str(refused.value))
        assert told_by[0] == told_by[2] == "the registry cannot be reached"
        assert told_by[1] == "the registry could not be reached a moment ago"
        assert told(await grounds.ask(INNOCENT)) == ["allow"]
