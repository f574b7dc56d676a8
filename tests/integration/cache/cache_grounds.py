"""The two stores on grounds that a test can damage in the same words."""

from contextlib import asynccontextmanager

import redis

from cache.changes import Change, Head, decode_entry
from cache.keys import Keys
from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_list_writer import MemoryListWriter
from cache.memory_parts import MemoryParts
from cache.memory_replica_source import MemoryReplicaSource
from cache.redis_list_writer import RedisListWriter
from cache.redis_parts import RedisParts
from cache.redis_pipe import Pipe
from cache.redis_replica_source import RedisReplicaSource
from cache.redis_store import Patience, RedisStandingCache
from cache.verification import Walk
from tests.support import positions
from tests.support.cache_keys import TOKENIZER, token_keys
from tests.support.fake_clock import FakeClock

TOKEN_KEYS = token_keys()
"""The keys of all stores of a test; the fixture `ground` makes one of them current."""

KEYS = Keys("checker")
AS_OF_MS = 1_795_000_000_000

VOUCHES_MAX = 10

# On a busy machine a lookup may take longer than a check would wait.
PATIENT = Patience(lookup_s=10)

# Tiny segments, so that a small list has several.
SEGMENT_BLOCKS = 2


class MemoryGround:
    """A `MemoryStore`, and stores on it. Its clock stands still."""

    def __init__(self):
        self.clock = FakeClock(seconds=1_000.0)
        self.memory = MemoryStore(self.clock)

    def store(self, namespace="checker", token_keys=TOKEN_KEYS):
        return MemoryStandingCache(
            self.memory,
            token_keys=token_keys,
            namespace=namespace,
            segment_blocks=SEGMENT_BLOCKS,
        )

    def list_writer(self, namespace="checker", token_keys=TOKEN_KEYS):
        return MemoryListWriter(self.memory, namespace=namespace, token_keys=token_keys)

    def replica_source(self, token_keys=TOKEN_KEYS):
        return MemoryReplicaSource(self.memory, token_keys=token_keys)

    def parts(self):
        return MemoryParts(self.memory, KEYS)

    def names(self):
        return self.memory.names()

    def lose(self, key):
        self.memory.remove(key)

    def lose_field(self, key, field):
        fields = self.memory.hashes.get(key, {})
        fields.pop(field, None)
        if not fields:  # Redis keeps no empty hash
            self.lose(key)

    def cut(self, key, length):
        self.put(key, self.memory.strings.get(key, b"")[:length])

    def blank(self, key):
        self.put(key, bytes(len(self.memory.strings[key])))

    def fields(self, key):
        return set(self.memory.hashes[key])

    def put(self, key, value):
        self.memory.strings[key] = value

    def get(self, key):
        return self.memory.string(key)

    def field(self, key, field):
        return self.memory.hashes.get(key, {}).get(field)

    def put_field(self, key, field, value):
        self.memory.hashes.setdefault(key, {})[field] = value

    def entries(self):
        return [decode_entry(fields) for _, fields in self.memory.streams.get(KEYS.changes, [])]

    def let_last(self, key):
        """Keep a key from ending by itself: here all do, for no time passes."""

    def set_policy(self, policy):
        self.memory.policy = policy


class RedisGround:
    """An empty Redis, and stores on it."""

    def __init__(self, url):
        self.url = url
        self.client = redis.Redis.from_url(url)
        self.client.flushall()
        self.set_policy("noeviction")

    def store(self, namespace="checker", token_keys=TOKEN_KEYS, **options):
        options.setdefault("segment_blocks", SEGMENT_BLOCKS)
        options.setdefault("patience", PATIENT)
        return RedisStandingCache.connect(
            self.url, token_keys=token_keys, namespace=namespace, **options
        )

    def list_writer(self, namespace="checker", **options):
        options.setdefault("token_keys", TOKEN_KEYS)
        return RedisListWriter.connect(self.url, namespace=namespace, **options)

    def replica_source(self, token_keys=TOKEN_KEYS):
        return RedisReplicaSource.connect(self.url, token_keys=token_keys)

    def parts(self):
        return RedisParts(Pipe(self.url, "checker", timeout_s=10), KEYS)

    def names(self):
        return {name.decode() for name in self.client.scan_iter()}

    def lose(self, key):
        self.client.delete(key)

    def lose_field(self, key, field):
        self.client.hdel(key, field)

    def cut(self, key, length):
        self.put(key, (self.client.get(key) or b"")[:length])

    def blank(self, key):
        self.put(key, bytes(self.client.strlen(key)))

    def fields(self, key):
        return set(self.client.hkeys(key))

    def put(self, key, value):
        self.client.set(key, value)

    def get(self, key):
        return self.client.get(key)

    def field(self, key, field):
        return self.client.hget(key, field)

    def put_field(self, key, field, value):
        self.client.hset(key, field, value)

    def entries(self):
        return [decode_entry(fields) for _, fields in self.client.xrange(KEYS.changes)]

    def let_last(self, key):
        """Keep a key from ending by itself, or a test on a busy machine ends in another way."""
        self.client.persist(key)

    def set_policy(self, policy):
        self.client.config_set("maxmemory-policy", policy)


def token(number):
    """Return the token of the person with this number."""
    return TOKENIZER.token("n", str(number))


def people(numbers, value=b"v"):
    """Return a list of these persons, each with the same value."""
    return {token(number): value for number in numbers}


def stored(token, key=None):
    """Return a token as the stores hold it, under the current key or another one."""
    return (key or TOKEN_KEYS.current).stored(token)


async def stream(listed, batch=37, key=None):
    """Yield the entries of a list as PostgreSQL has them."""
    entries = sorted((stored(token, key), value) for token, value in listed.items())
    for start in range(0, len(entries), batch):
        yield entries[start : start + batch]


async def built(store, listed, version=1, **changes):
    """Build a generation that lists these tokens."""
    arguments = {
        "position": position(version),
        "token_key": TOKEN_KEYS.current.fingerprint,
        "count": len(listed),
        "entries": stream(listed),
    }
    return await store.build(**(arguments | changes))


async def put_in_force(store, ground, listed, version=1, namespace="checker"):
    """Build a generation that lists these tokens, switch to it and vouch for it."""
    generation = await built(store, listed, version)
    await store.switch(generation)
    assert await vouched(ground, generation, version, namespace)
    return generation


async def vouched(ground, generation, version, namespace="checker", asked_ms_ago=0):
    """Vouch that a version is the newest, in the live generation; return whether that was done."""
    async with opened(ground.list_writer(namespace)) as list_writer:
        # On a busy machine one may come too late.
        for _ in range(VOUCHES_MAX):
            if await list_writer.vouch(generation, position(version), asked_ms_ago=asked_ms_ago):
                ground.let_last(Keys(namespace).vouched)
                return True
    return False


async def changed(ground, generation, change, *, live=True):
    """Bring a change into a generation."""
    async with opened(ground.list_writer()) as list_writer:
        await list_writer.apply(generation, change, live=live)


async def state_of(ground):
    """Return where the cache stands."""
    async with opened(ground.list_writer()) as list_writer:
        return await list_writer.state()


@asynccontextmanager
async def opened(store):
    try:
        yield store
    finally:
        await store.aclose()


async def no_pause(_seconds):
    """Walk on at once."""


async def walked(ground, generation, sleep=no_pause, token_keys=TOKEN_KEYS):
    """Verify all of a generation."""
    parts = ground.parts()
    try:
        await Walk(parts, token_keys=token_keys, sleep=sleep).over(generation)
    finally:
        if hasattr(parts, "aclose"):
            await parts.aclose()


def step(previous, outlines, version=None):
    """Return the change from one version to the next, or to the one that is named."""
    after = previous + 1 if version is None else version
    return Change(before=position(previous), after=position(after), outlines=outlines)


def head(version, added=0, *, partial=""):
    """Return the head of a generation."""
    return Head.at(position(version), added=added, partial=partial)


def position(version, line=positions.LINE):
    """Return a place in the history of the list."""
    return positions.position(version, AS_OF_MS, line)
