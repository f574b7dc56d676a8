"""The parts of a deployment in miniature.

Work that stops wherever a test likes, and ways to other parts on which a question or an answer may
be late or lost.
"""

import asyncio
import copy
from hashlib import blake2b

from cache.errors import CacheError, CacheUnavailable
from cache.memory_replica_source import MemoryReplicaSource
from cache.replica_keeper import AnotherHistory, Newer, ReplicaKeeper
from cache.replica_source import BEFORE_ALL, Membership, StreamRead
from cache.token import Token

TOKENS_A_VERSION = 2


def tokens_of(change_id):
    """Return the tokens that came onto the list with this change."""
    names = [f"{change_id}:{number}".encode() for number in range(TOKENS_A_VERSION)]
    return [Token(blake2b(name, digest_size=16).digest()) for name in names]


def tokens_of_all(positions):
    return [token for position in positions for token in tokens_of(position.change_id)]


def done(coroutine):
    """Run to its end what waits for nothing but its turn."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


class Journey:
    """Work that is begun anew each time it has ended, and may be lost on the way."""

    def __init__(self, work):
        self._work = work
        self._under_way = None

    @property
    def is_idle(self):
        return self._under_way is None

    def step(self):
        """Go on to the next stop; return whether that was the end."""
        if self._under_way is None:
            self._under_way = self._work()
        try:
            self._under_way.send(None)
        except (StopIteration, CacheError):
            self._under_way = None
        return self._under_way is None

    def finish(self):
        while not self.step():
            pass

    def lose(self):
        if self._under_way is not None:
            try:
                self._under_way.throw(CacheUnavailable("lost on the way"))
            except (StopIteration, CacheError):
                self._under_way = None


class SlowReplicaSource:
    """`ReplicaSource` on the world's memory, with stops on the way and between commands."""

    def __init__(self, world):
        self._world = world
        self._inner = MemoryReplicaSource(world.memory, token_keys=world.token_keys)

    async def load(self):
        await asyncio.sleep(0)
        image = await self._inner.load()
        await asyncio.sleep(0)
        return image

    async def read_stream(self, cursor, *, wait_s):
        await asyncio.sleep(0)
        found = done(self._inner.read_stream(cursor, wait_s=0))
        await asyncio.sleep(0)
        after = done(self._inner.read_stream(cursor, wait_s=0))
        await asyncio.sleep(0)
        return StreamRead(
            generation_id=after.generation_id,
            cursor=found.cursor,
            entries=found.entries,
            unbroken=found.unbroken if cursor == BEFORE_ALL else after.unbroken,
            newest=found.newest,
        )

    async def acknowledge(self, node, position):
        """Said once: it may be lost before or after it has come there, or come there late."""
        late = copy.copy(self._inner)
        try:
            await asyncio.sleep(0)
        except CacheUnavailable:
            self._world.late.append(lambda: done(late.acknowledge(node, position)))
            self._inner._turn += 1
            raise
        stayed = done(self._inner.acknowledge(node, position))
        try:
            await asyncio.sleep(0)
        except CacheUnavailable:
            self._inner._turn += 1
            raise
        return stayed

    async def leave(self, node):
        done(self._inner.leave(node))

    async def nodes(self):
        await asyncio.sleep(0)
        head = done(self._inner.nodes()).head
        await asyncio.sleep(0)
        found = done(self._inner.nodes())
        await asyncio.sleep(0)
        return Membership(whole=found.whole, nodes=found.nodes, head=head)

    async def drop_behind(self, version, strangers=()):
        await asyncio.sleep(0)
        done(self._inner.drop_behind(version, strangers))


class SlowWord:
    """The registry's word: the row first, then the reading."""

    def __init__(self, world):
        self._world = world

    async def renew(self, node, after):
        world = self._world
        await asyncio.sleep(0)
        world.rows[node] = world.now
        await asyncio.sleep(0)
        found = world.since(after)
        await asyncio.sleep(0)
        if found is None:
            raise AnotherHistory
        if any(position in world.snapshots for position in found):
            return None
        return Newer(position=[after, *found][-1], tokens=tokens_of_all(found))


class Node:
    """A keeper with a clock of its own."""

    def __init__(self, world, number):
        self.id = f"node {number}"
        self.keeper = ReplicaKeeper(
            self.id,
            SlowReplicaSource(world),
            SlowWord(world).renew,
            clock=lambda: world.now + 1000 * number,
        )
        self.reading = Journey(self.keeper.read_once)
        self.word = Journey(self.keeper.ask_word_once)
