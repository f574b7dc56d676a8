"""The two stores on grounds that a test can damage in the same words."""

import redis

from cache.memory import Memory, MemoryStandingCache
from cache.redis_store import RedisStandingCache
from cache.token import Tokenizer

TOKENIZER = Tokenizer(bytes(range(32)))
TOKEN_KEY = TOKENIZER.fingerprint

# Tiny segments, so that a small list has several.
SEGMENT_BLOCKS = 2


class MemoryGround:
    """A `Memory`, and stores on it."""

    def __init__(self):
        self.memory = Memory()

    def store(self, namespace="checker", token_key=TOKEN_KEY):
        return MemoryStandingCache(
            self.memory, token_key=token_key, namespace=namespace, segment_blocks=SEGMENT_BLOCKS
        )

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

    def set_policy(self, policy):
        self.memory.policy = policy


class RedisGround:
    """An empty Redis, and stores on it."""

    def __init__(self, url):
        self.url = url
        self.client = redis.Redis.from_url(url)
        self.client.flushall()
        self.set_policy("noeviction")

    def store(self, namespace="checker", token_key=TOKEN_KEY, **options):
        options.setdefault("segment_blocks", SEGMENT_BLOCKS)
        return RedisStandingCache.connect(
            self.url, token_key=token_key, namespace=namespace, **options
        )

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

    def set_policy(self, policy):
        self.client.config_set("maxmemory-policy", policy)


def token(number):
    """Return the token of the person with this number."""
    return TOKENIZER.token("n", str(number))


def people(numbers, value=b"v"):
    """Return a list of these persons, each with the same value."""
    return {token(number): value for number in numbers}


async def stream(listed):
    for entry in sorted(listed.items()):
        yield entry


async def built(store, listed, version=1, **changes):
    """Build a generation that lists these tokens."""
    arguments = {
        "version": version,
        "as_of_ms": 1_795_000_000_000,
        "token_key": TOKEN_KEY,
        "count": len(listed),
        "entries": stream(listed),
    }
    return await store.build(**(arguments | changes))


async def put_in_force(store, listed, version=1):
    """Build a generation that lists these tokens, and switch to it."""
    generation = await built(store, listed, version)
    await store.switch(generation)
    return generation
