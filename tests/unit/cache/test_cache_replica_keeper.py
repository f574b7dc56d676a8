"""A replica's keeper asks the registry when half a lease has passed, and leaves no lease behind."""

from contextlib import suppress

import pytest

from cache.errors import CacheIncomplete
from cache.lease import LEASE_S
from cache.leased_replica import Newer
from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_replica_source import MemoryReplicaSource
from cache.replica_keeper import AnotherHistory, ReplicaKeeper, WordUnavailable
from cache.token import Token
from tests.support.cache_keys import TOKENIZER, first_key
from tests.support.positions import OTHER_LINE, position

pytestmark = pytest.mark.anyio

TOKEN_KEYS = first_key()
FIRST = position(1)
MARKERS = tuple(TOKENIZER.token("marker", kind) for kind in ("one", "other"))


class Ground:
    """A keeper with a list of nobody, by a clock and a registry that the test moves."""

    def __init__(self):
        self.now = 0.0
        self.asked = 0
        self.is_away = False
        self.lacks = frozenset()
        memory = MemoryStore(lambda: self.now)
        self.store = MemoryStandingCache(memory, token_keys=TOKEN_KEYS)
        self.source = MemoryReplicaSource(memory, token_keys=TOKEN_KEYS)
        self.came: tuple[Token, ...] = ()
        self.keeper = ReplicaKeeper(
            "node", self.source, self.renew, clock=lambda: self.now, markers=MARKERS
        )

    async def renew(self, node, after):
        self.asked += 1
        if self.is_away:
            raise WordUnavailable
        if after.change_id in self.lacks:
            raise AnotherHistory
        return Newer(position=after, tokens=self.came)

    async def load(self, at=FIRST):
        live = await self.store.build(
            position=at, token_key=TOKEN_KEYS.current.fingerprint, count=0, entries=nothing()
        )
        await self.store.switch(live)
        await self.keeper.read_once()

    async def emptied(self):
        """Let Redis lose the list, and the node notice the loss."""
        await self.store.withdraw()
        with suppress(CacheIncomplete):
            await self.keeper.read_once()


@pytest.fixture
async def ground():
    loaded = Ground()
    await loaded.load()
    return loaded


async def test_the_registry_is_asked_when_half_a_lease_has_passed(ground):
    ground.now = LEASE_S
    assert await ground.keeper.ask_word_if_due() == LEASE_S / 2
    assert (ground.asked, ground.keeper.holds_lease) == (1, True)
    ground.now += LEASE_S / 4
    assert await ground.keeper.ask_word_if_due() == LEASE_S / 4
    assert ground.asked == 1


async def test_a_registry_that_is_away_is_asked_again_in_the_next_round(ground):
    ground.now, ground.is_away = LEASE_S, True
    for _ in range(2):
        with pytest.raises(WordUnavailable):
            await ground.keeper.ask_word_if_due()
    assert (ground.asked, ground.keeper.holds_lease) == (2, False)


async def test_a_node_without_a_list_asks_nothing_and_looks_again_soon():
    unloaded = Ground()
    assert await unloaded.keeper.ask_word_if_due() == LEASE_S / 2
    assert unloaded.asked == 0


async def test_a_keeper_that_ends_has_no_lease_and_is_on_no_list_of_nodes(ground):
    ground.now = LEASE_S
    await ground.keeper.ask_word_if_due()
    await ground.keeper.aclose()
    assert not ground.keeper.holds_lease
    assert (await ground.source.nodes()).nodes == {}


async def test_a_kind_marker_counts_as_held_until_a_list_proves_it_absent(ground):
    assert Ground().keeper.marked == (0, 1)
    assert ground.keeper.marked == ()


async def test_a_kind_marker_that_comes_onto_the_list_is_held_at_once(ground):
    ground.now, ground.came = LEASE_S, MARKERS[1:]
    await ground.keeper.ask_word_if_due()
    assert ground.keeper.marked == (1,)


async def nothing():
    for batch in ():
        yield batch


@pytest.mark.parametrize("older", [position(2), position(4, line=OTHER_LINE)])
async def test_a_node_asks_about_its_list_before_it_loads_one_that_may_be_older(older):
    ground = Ground()
    await ground.load(position(3))
    ground.lacks = {position(3).change_id}
    await ground.emptied()
    await ground.load(older)
    assert (ground.asked, ground.keeper.position) == (1, older)
    assert not ground.keeper.holds_lease


async def test_a_node_loads_no_older_list_while_the_registry_cannot_be_asked():
    ground = Ground()
    await ground.load(position(3))
    ground.is_away = True
    await ground.emptied()
    with pytest.raises(WordUnavailable):
        await ground.load(position(2))
    assert ground.keeper.position == position(3)


async def test_a_node_loads_a_newer_list_of_the_same_history_without_asking():
    ground = Ground()
    await ground.load(position(3))
    await ground.load(position(4))
    await ground.keeper.read_once()
    assert (ground.asked, ground.keeper.position) == (0, position(4))
