"""Lookups on Redis: one round trip for whoever is not listed, a second one for a "maybe".

First trip: the pointer, and each token's filter block in the generation last known to be live. If
the pointer names another, once more with that one. Second trip: sentinel and field in each maybe's
bucket. A generation's keys are complete before the pointer names it, and each is removed in one
step. So a whole block, or a bucket with its sentinel, says what its generation says, even if that
was replaced and swept meanwhile: it was live when the pointer was read, which is during the call.
Where something is missing the pointer tells a sweep (look again) from a loss (CacheIncomplete).

This file only reads; how generations come and go is the business of `cache.redis_build`.
"""

from collections.abc import Sequence
from itertools import islice

import msgspec

from cache.breaker import Breaker
from cache.coalescer import Ask, Coalescer
from cache.errors import CacheIncomplete, CacheUnavailable
from cache.filter import BLOCK_BYTES, may_contain
from cache.generation import Generation, servable
from cache.keys import Keys
from cache.layout import SENTINEL
from cache.redis_pipe import Command, Pipe, Reply
from cache.store import Lookup, refuse_misshapen
from cache.token import Token

# The event loop does little else while it packs and reads a pipeline: 4 ms for so many tokens.
PIPELINE_TOKENS_MAX = 1_000

# Each waiter is a request held open; more than this and Redis is not keeping up at all.
WAITING_MAX = 10_000

# A switch comes with a rebuild, minutes apart; to meet three in one call is not to be believed.
_ATTEMPTS_MAX = 3


class _Live(msgspec.Struct, frozen=True):
    """The pointer as read, and the generation it names: the same bytes need no second decoding."""

    raw: bytes
    generation: Generation


class RedisLookup:
    """The reading half of the store; safe for any number of tasks of one event loop."""

    def __init__(self, pipe: Pipe, keys: Keys, *, token_key: str, breaker: Breaker) -> None:
        self._pipe = pipe
        self._keys = keys
        self._token_key = token_key
        self._breaker = breaker
        self._live: _Live | None = None
        self._coalescer = Coalescer(
            self._serve, tokens_max=PIPELINE_TOKENS_MAX, waiting_max=WAITING_MAX
        )

    async def lookup(self, tokens: Sequence[Token]) -> Lookup:
        """See `StandingCache.lookup`. Many tokens go in parts, which others' asks slip between."""
        refuse_misshapen(tokens)
        if len(tokens) <= PIPELINE_TOKENS_MAX:
            return await self._ask(tokens)
        for _ in range(_ATTEMPTS_MAX):
            parts = [
                await self._ask(tokens[start : start + PIPELINE_TOKENS_MAX])
                for start in range(0, len(tokens), PIPELINE_TOKENS_MAX)
            ]
            generation = parts[0].generation
            if all(part.generation == generation for part in parts):
                return Lookup(
                    generation=generation,
                    values=tuple(value for part in parts for value in part.values),
                    maybes=sum(part.maybes for part in parts),
                )
        raise CacheIncomplete("the list is switched faster than it can be read")

    async def aclose(self) -> None:
        """Fail whoever waits, and close the connection."""
        await self._coalescer.aclose()
        await self._pipe.aclose()

    async def _ask(self, tokens: Sequence[Token]) -> Lookup:
        if not self._breaker.allows():
            raise CacheUnavailable("Redis did not answer a moment ago")
        return await self._coalescer.ask(tokens)

    async def _serve(self, asks: list[Ask]) -> None:
        torn_in: Generation | None = None
        for _ in range(_ATTEMPTS_MAX):
            generation, blocks = await self._read_blocks(asks)
            if generation == torn_in:
                break
            asks = await self._settle(asks, generation, blocks)
            if not asks:
                return
            torn_in = generation
        raise CacheIncomplete("a filter segment, a bucket or its sentinel is missing")

    async def _read_blocks(self, asks: Sequence[Ask]) -> tuple[Generation, list[bytes]]:
        """Return the live generation and the filter block of every token, as Redis has it."""
        pointer: Command = ("GET", self._keys.pointer)
        for _ in range(_ATTEMPTS_MAX):
            live = self._live
            commands = [pointer]
            if live is not None:
                commands += [
                    self._block_command(live.generation, token)
                    for ask in asks
                    for token in ask.tokens
                ]
            raw, *blocks = await self._trip(commands)
            if live is not None and raw == live.raw:
                return live.generation, blocks
            self._live = _Live(raw, servable(raw, self._token_key))
        raise CacheIncomplete("the list is switched faster than it can be read")

    async def _settle(
        self, asks: list[Ask], generation: Generation, blocks: list[bytes]
    ) -> list[Ask]:
        """Answer all asks that this generation can answer; return the others."""
        torn: list[Ask] = []
        looking: list[tuple[Ask, list[int]]] = []
        unread = iter(blocks)
        for ask in asks:
            own = list(islice(unread, len(ask.tokens)))
            if any(len(block) != BLOCK_BYTES for block in own):
                torn.append(ask)
                continue
            maybes = [
                index
                for index, (block, token) in enumerate(zip(own, ask.tokens, strict=True))
                if may_contain(block, token)
            ]
            if maybes:
                looking.append((ask, maybes))
            else:
                values = (None,) * len(own)
                ask.settle(Lookup(generation=generation, values=values, maybes=0))
        if looking:
            torn += await self._read_fields(looking, generation)
        return torn

    async def _read_fields(
        self, looking: list[tuple[Ask, list[int]]], generation: Generation
    ) -> list[Ask]:
        """Answer the asks whose maybes lie in whole buckets; return the others."""
        torn: list[Ask] = []
        commands = [
            self._field_command(generation, ask.tokens[index])
            for ask, maybes in looking
            for index in maybes
        ]
        replies = iter(await self._trip(commands))
        for ask, maybes in looking:
            own = list(islice(replies, len(maybes)))
            if any(sentinel is None for sentinel, _ in own):
                torn.append(ask)
                continue
            values: list[bytes | None] = [None] * len(ask.tokens)
            for index, (_, value) in zip(maybes, own, strict=True):
                values[index] = value
            ask.settle(Lookup(generation=generation, values=tuple(values), maybes=len(maybes)))
        return torn

    def _block_command(self, generation: Generation, token: Token) -> Command:
        segment, start = generation.block_of(token)
        key = self._keys.segment(generation.id, segment)
        return "GETRANGE", key, start, start + BLOCK_BYTES - 1

    def _field_command(self, generation: Generation, token: Token) -> Command:
        key = self._keys.bucket(generation.id, generation.bucket_of(token))
        return "HMGET", key, SENTINEL, token

    async def _trip(self, commands: Sequence[Command]) -> list[Reply]:
        try:
            replies = await self._pipe.ask(commands)
        except CacheUnavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return replies
