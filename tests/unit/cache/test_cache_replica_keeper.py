"""A replica's keeper asks the registry when half a lease has passed, and leaves no lease behind."""

import pytest

from cache.lease import LEASE_S
from cache.leased_replica import Newer
from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_replica_source import MemoryReplicaSource
from cache.replica_keeper import ReplicaKeeper, WordUnavailable
from cache.token import Token, Tokenizer
from tests.support.positions import position

pytestmark = pytest.mark.anyio

CHECKSUM_KEY = bytes(range(32))
MARKERS = tuple(Tokenizer(CHECKSUM_KEY).token("marker", kind) for kind in ("one", "other"))


class Ground:
    """A keeper with a list of nobody, by a clock and a registry that the test moves."""

    def __init__(self):
        self.now = 0.0
        self.asked = 0
        self.is_away = False
        memory = MemoryStore(lambda: self.now)
        self.store = MemoryStandingCache(memory, token_key="k", checksum_key=CHECKSUM_KEY)
        self.source = MemoryReplicaSource(memory, token_key="k", checksum_key=CHECKSUM_KEY)
        self.came: tuple[Token, ...] = ()
        self.keeper = ReplicaKeeper(
            "node", self.source, self.renew, clock=lambda: self.now, markers=MARKERS
        )

    async def renew(self, node, after):
        self.asked += 1
        if self.is_away:
            raise WordUnavailable
        return Newer(position=after, tokens=self.came)

    async def load(self):
        live = await self.store.build(
            position=position(1), token_key="k", count=0, entries=nothing()
        )
        await self.store.switch(live)
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
