"""The cache on a cluster of three masters: the list in one slot, and a slot that is moved."""

from contextlib import aclosing, asynccontextmanager
from itertools import count

import pytest
from redis import Redis

from cache.counting.quota import MINUTE, Limit, RedisQuota
from cache.counting.tally import Noted, RedisTally
from cache.errors import CacheMisconfigured, CacheUnavailable, CacheUnvouched
from cache.jobs import JobBounds, RedisJobs
from cache.keys import KeyFamily, Keys
from cache.redis_cluster import keys_at
from cache.redis_list_writer import RedisListWriter
from cache.redis_parts import RedisParts
from cache.redis_pipe import Pipe
from cache.redis_replica_source import RedisReplicaSource
from cache.redis_store import RedisStandingCache
from cache.replica_source import BEFORE_ALL
from cache.sessions import RedisSessions
from cache.verification import verified_bits
from checker.doctor.redis_facts import read_redis
from checker.domain.clock import SystemClock
from tests.integration.cache.cache_grounds import (
    PATIENT,
    SEGMENT_BLOCKS,
    TOKEN_KEYS,
    built,
    people,
    position,
    step,
    token,
)
from tests.support.private_folder import private_folder
from tests.support.redis_programs import PROGRAMS
from tests.support.running_service import free_port
from tests.support.shaken_cluster import LIST_SLOT, shaken_cluster

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("cluster")]

KEYS = Keys("checker", in_cluster=True)
LISTED = people(range(200))
NEW = people([1_000])
VOUCHES_MAX = 10
MOST_S = 10


@pytest.fixture(scope="module", params=[name for name in PROGRAMS if "PATH" not in name])
def cluster(request):
    """A cluster without replicas, of the usual program and of the oldest."""
    with (
        private_folder() as folder,
        shaken_cluster(folder, replicas=0, program=PROGRAMS[request.param]) as running,
    ):
        yield running


@pytest.fixture
def ground(cluster):
    for server in cluster.servers:
        server.ask("FLUSHALL")
    return Ground(cluster)


class Ground:
    """Every part of the cache that works on the list."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.url = cluster.url
        self.writer = RedisListWriter.connect(self.url, token_keys=TOKEN_KEYS, timeout_s=MOST_S)
        self.store = RedisStandingCache.connect(
            self.url,
            token_keys=TOKEN_KEYS,
            patience=PATIENT,
            segment_blocks=SEGMENT_BLOCKS,
            clock=count().__next__,  # no pause of the breaker lasts until the next question
        )
        self.source = RedisReplicaSource.connect(self.url, token_keys=TOKEN_KEYS)
        self.parts = RedisParts.connect(self.url)
        self.pipe = Pipe(self.url, KEYS.stem, timeout_s=MOST_S)

    @asynccontextmanager
    async def opened(self):
        try:
            yield self
        finally:
            for part in (self.writer, self.store, self.source, self.parts, self.pipe):
                await part.aclose()

    async def in_force(self, version=1):
        """Build the list, switch to it, and vouch for it."""
        generation = await built(self.store, LISTED, version)
        await self.store.switch(generation)
        return generation

    async def values(self, generation, version, *numbers):
        """Vouch, and look people up before the vouch ends."""
        for _ in range(VOUCHES_MAX):
            await self.writer.state()
            if await self.writer.vouch(generation, position(version), asked_ms_ago=0):
                try:
                    found = await self.store.lookup([token(number) for number in numbers])
                except CacheUnvouched:
                    continue  # this machine stood still
                return found.values
        raise AssertionError("no vouch lasts until a lookup")

    def client(self):
        return Redis(port=self.cluster.owner().port)


async def test_the_list_lives_in_one_slot_and_does_all_that_it_does_on_a_server(ground):
    async with ground.opened():
        dead = await ground.in_force()
        live = await ground.in_force()
        assert await ground.values(live, 1, 1, 999, 1_000) == (b"v", None, None)
        await ground.writer.apply(live, step(1, NEW), live=True)
        assert await ground.values(live, 2, 1_000) == (b"v",)
        image = await ground.source.load()
        assert image.position == position(2)
        assert image.bits == await verified_bits(ground.parts, live, TOKEN_KEYS.current)
        read = await ground.source.read_stream(BEFORE_ALL, wait_s=0)
        assert len(read.entries) >= 3
        assert not await ground.source.acknowledge("node", image.position)
        assert await ground.source.acknowledge("node", image.position)
        assert (await ground.source.nodes()).nodes.keys() == {"node"}
        assert await ground.store.sweep() > 0
        with ground.client() as client:
            names = {name.decode() for name in client.scan_iter(count=1_000)}
        assert {KEYS.generation_of(name) for name in names} == {None, live.id}
        assert dead.id != live.id
        held = [server.ask("DBSIZE") for server in ground.cluster.servers]
        assert sorted(held)[:2] == [0, 0]
        assert ground.cluster.owner(LIST_SLOT).ask("CLUSTER COUNTKEYSINSLOT", LIST_SLOT) > 0


async def test_counts_and_pages_are_on_other_masters_than_the_list(ground):
    url = ground.url
    async with (
        aclosing(RedisSessions(url, timeout_s=MOST_S)) as sessions,
        aclosing(RedisJobs(url)) as jobs,
        aclosing(RedisQuota(url, timeout_s=MOST_S)) as quota,
        aclosing(RedisTally(url, timeout_s=MOST_S)) as tally,
    ):
        await sessions.put("id", b"value", idle_s=60)
        assert await sessions.get("id", idle_s=60) == b"value"
        await sessions.delete("id")
        bounds = JobBounds(lasts_s=60, jobs=2, jobs_of_group=2)
        assert await jobs.begin("owner", "g.1", {"a": b"1", "b": b"2"}, bounds=bounds, now_ms=1)
        assert await jobs.replace("g.1", {"a": b"3", "b": b"4"})
        assert await jobs.get("g.1", "a", "b") == [b"3", b"4"]
        taken = await quota.take(1, (Limit(name="n", items=5, window=MINUTE),))
        assert (taken.granted, taken.lefts[0].items) == (True, 4)
        noted = Noted(name="n", group="g", items=2, hits=1, elements=(bytes(16),))
        [counted] = await tally.add([noted], regular_from=1)
        assert (counted.own.items, counted.own.distinct, counted.group.regular) == (2, 1, 1)
        await jobs.delete("owner", "g.1", ("a", "b"))
    async with ground.opened():
        await ground.in_force()
    assert all(server.ask("DBSIZE") > 0 for server in ground.cluster.servers[:2])


async def test_while_its_slot_is_moved_the_list_counts_as_away_and_afterwards_is_whole(ground):
    source = ground.cluster.owner()
    target = next(each for each in ground.cluster.servers if each is not source)
    async with ground.opened():
        live = await ground.in_force()
        assert await ground.values(live, 1, 1) == (b"v",)
        for begun, ended in ((source, target), (target, source)):
            with ground.cluster.moving(LIST_SLOT, begun, ended):
                for ask in (
                    ground.store.lookup([token(1)]),
                    ground.store.current(),
                    ground.writer.state(),
                    ground.writer.apply(live, step(1, NEW), live=True),
                    ground.writer.vouch(live, position(1), asked_ms_ago=0),
                    ground.source.load(),
                    ground.source.read_stream(BEFORE_ALL, wait_s=0),
                    ground.source.acknowledge("node", position(1)),
                    ground.parts.records(live),
                    ground.store.sweep(),
                ):
                    with pytest.raises(CacheUnavailable):
                        await ask
            with pytest.raises(CacheUnvouched):
                # The vouch names the run of the master that the slot has left.
                await ground.store.lookup([token(1)])
            assert await ground.values(live, 1, 1, 1_000) == (b"v", None)
        assert (await ground.source.load()).position == position(1)
        await ground.writer.apply(live, step(1, NEW), live=True)
        assert await ground.values(live, 2, 1_000) == (b"v",)


async def test_a_vouch_that_outlasts_its_end_is_not_believed(ground):
    async with ground.opened():
        live = await ground.in_force()
        assert await ground.values(live, 1, 1) == (b"v",)
        with ground.client() as client:
            value = client.get(KEYS.vouched)
            begun, _, until_ms = value.rpartition(b":")
            # As if a move of the slot had taken so long.
            client.set(KEYS.vouched, begun + b":%d" % (int(until_ms) - 60_000))
            with pytest.raises(CacheUnvouched):
                await ground.store.lookup([token(1)])
            client.set(KEYS.vouched, begun + b":%d" % (int(until_ms) + 60_000))
            assert (await ground.store.lookup([token(1)])).values == (b"v",)


async def test_a_pipe_follows_the_slot_once_and_sends_nothing_twice_that_must_not_be(ground):
    source = ground.cluster.owner()
    target = next(each for each in ground.cluster.servers if each is not source)
    async with ground.opened():
        assert await ground.pipe.ask([("SET", KEYS.pointer, "1")]) == [b"OK"]
        ground.cluster.move(LIST_SLOT, source, target)
        assert await ground.pipe.ask([("GET", KEYS.pointer)]) == [b"1"]
        assert ground.pipe.connections == 2
        ground.cluster.move(LIST_SLOT, target, source)
        with pytest.raises(CacheUnavailable):
            await ground.pipe.ask([("SET", KEYS.pointer, "2")], again=False)
        assert await ground.pipe.ask([("GET", KEYS.pointer)], again=False) == [b"1"]


async def test_a_vouch_is_not_given_by_the_clock_of_another_connection(ground):
    async with ground.opened():
        live = await ground.in_force()
        await ground.writer.state()
        ground.cluster.owner().ask("CLIENT", "KILL", "TYPE", "normal")
        await ground.writer.apply(live, step(1, NEW), live=True)
        assert not await ground.writer.vouch(live, position(2), asked_ms_ago=0)
        assert await ground.values(live, 2, 1_000) == (b"v",)


async def test_a_cluster_is_named_as_one_and_nothing_else_is(ground, start_redis):
    port = str(free_port())
    single = f"redis://127.0.0.1:{ground.cluster.servers[0].port}"
    with start_redis("--port", port, "--bind", "127.0.0.1"):
        for url, told in (
            (single, "redis\\+cluster://"),
            (f"redis+cluster://127.0.0.1:{port}", "no cluster"),
        ):
            stem = keys_at(url, "checker").stem
            async with aclosing(Pipe(url, stem, timeout_s=MOST_S)) as pipe:
                with pytest.raises(CacheMisconfigured, match=told):
                    await pipe.ask([("PING",)])


async def test_an_examination_asks_every_server_and_finds_the_owners(ground):
    async with ground.opened():
        await ground.in_force(version=3)
    facts = await read_redis(ground.url, "checker", TOKEN_KEYS, SystemClock())
    assert facts.head.version == 3
    assert facts.cluster is not None
    assert [(each.is_master, each.state) for each in facts.cluster.servers] == [(True, "ok")] * 3
    assert len(set(facts.cluster.owners.values())) == len(KeyFamily)
    source = ground.cluster.owner()
    target = next(each for each in ground.cluster.servers if each is not source)
    with ground.cluster.moving(LIST_SLOT, source, target):
        facts = await read_redis(ground.url, "checker", TOKEN_KEYS, SystemClock())
        assert facts.cluster.moving == {KeyFamily.LIST}
        assert facts.head is None
    ground.cluster.move(LIST_SLOT, target, source)
