"""Lookups on Redis, in one round trip.

A lookup reads, in this order: the pointer; head and vouch of the generation last known to be live;
the sentinel and the field in each token's bucket; head and pointer again.

- The pointer names another generation: the lookup reads once more, with that generation.
- Head or pointer moved meanwhile, or a big change is half in: the lookup reads once more, because
  the values may be of two versions. If each version lists one of two persons, the two together may
  clear both. The same holds for a lookup in several parts that are not of one version.
- The list moved three times in a row: CacheUnvouched.

A generation's keys are complete before the pointer names it, and each key is removed in one step.
So a bucket with its sentinel is the bucket of its generation, even if the generation was replaced
and swept meanwhile: it was live when the pointer was read, which is during the call. Where a key is
missing, the pointer shows whether it was swept (look again) or lost (CacheIncomplete).

A vouch names the run of Redis in which it was given. A Redis that restarts from its disk may bring
back the vouch of a moment ago, with a list that lacks the newest changes. On a cluster a vouch also
names its end, and a lookup asks for the time. A key that is moved to another master and back lasts
longer by the time on the way.

This file only reads. `cache.redis_build` builds and sweeps generations.
"""

import re
from collections.abc import Sequence
from itertools import islice
from typing import TypeAlias

import msgspec

from cache.batching import Batcher, WaitingItem
from cache.breaker import Breaker
from cache.changes import Position, decode_head
from cache.errors import CacheIncomplete, CacheUnavailable, CacheUnvouched
from cache.generation import Generation, servable
from cache.keys import Keys
from cache.layout import SENTINEL
from cache.redis_pipe import Command, Pipe, Reply
from cache.replies import reads_replies
from cache.store import Lookup, refuse_misshapen
from cache.token import StoredToken, Token
from cache.token_key import TokenKey, TokenKeys

# The event loop does little else while it packs and reads a pipeline: 4 ms for so many tokens.
PIPELINE_TOKENS_MAX = 1_000

# Each item that waits is a request held open; with more than this Redis does not keep up.
WAITING_MAX = 10_000

# A rebuild would not help a list that changes so fast; the registry reads one version.
_ATTEMPTS_MAX = 3
_TOO_FAST = "the list moves on faster than it can be read"

_RUN_ID = re.compile(rb"^run_id:([0-9a-f]+)\r?$", re.MULTILINE)


class _Live(msgspec.Struct, frozen=True):
    """The pointer as read, and the generation it names: the same bytes need no second decoding.

    The generation's tokens are stored under `key`.
    """

    raw: bytes
    generation: Generation
    key: TokenKey


class _Reading(msgspec.Struct, frozen=True):
    """The replies of one trip: [sentinel, value] of each token, and whether the list moved."""

    generation: Generation
    position: Position
    fields: list[list[bytes | None]]
    moved: bool


_Ask: TypeAlias = WaitingItem[Sequence[Token], Lookup]


class RedisLookup:
    """The reading half of the store; safe for any number of tasks of one event loop."""

    def __init__(self, pipe: Pipe, keys: Keys, *, token_keys: TokenKeys, breaker: Breaker) -> None:
        self._pipe = pipe
        self._keys = keys
        self._token_keys = token_keys
        self._breaker = breaker
        self._clock: tuple[Command, ...] = (("TIME",),) if pipe.in_cluster else ()
        self._live: _Live | None = None
        self._batcher: Batcher[Sequence[Token], Lookup] = Batcher(
            self._serve,
            weight=len,
            weight_max=PIPELINE_TOKENS_MAX,
            waiting_max=WAITING_MAX,
            outage=CacheUnavailable,
            ends_all=True,
            crowded="too many lookups wait for Redis",
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
            first = parts[0]
            if all(
                (part.generation, part.position) == (first.generation, first.position)
                for part in parts
            ):
                return Lookup(
                    generation=first.generation,
                    position=first.position,
                    values=tuple(value for part in parts for value in part.values),
                )
        raise CacheUnvouched(_TOO_FAST)

    async def aclose(self) -> None:
        """Fail all lookups that wait, and close the connection."""
        await self._batcher.aclose()
        await self._pipe.aclose()

    async def _ask(self, tokens: Sequence[Token]) -> Lookup:
        if not self._breaker.allows():
            raise CacheUnavailable("Redis did not answer a moment ago")
        return await self._batcher.add(tokens)

    @reads_replies
    async def _serve(self, asks: list[_Ask]) -> None:
        torn_in: Generation | None = None
        for _ in range(_ATTEMPTS_MAX):
            reading = await self._read(asks)
            if reading.moved:
                continue
            asks = _settle(asks, reading)
            if not asks:
                return
            if reading.generation == torn_in:
                raise CacheIncomplete("a bucket or its sentinel is missing")
            torn_in = reading.generation
        raise CacheUnvouched(_TOO_FAST)

    async def _read(self, asks: Sequence[_Ask]) -> _Reading:
        """Read every token's bucket in the live generation, as Redis has it."""
        pointer: Command = ("GET", self._keys.pointer)
        for _ in range(_ATTEMPTS_MAX):
            live = self._live
            if live is None:
                [raw] = await self._trip([pointer])
            else:
                head: Command = ("GET", self._keys.head(live.generation.id))
                vouched: Command = ("GET", self._keys.vouched)
                fields = [
                    self._field_command(live.generation, token)
                    for ask in asks
                    for token in live.key.each_stored(ask.item)
                ]
                proof = [pointer, head, vouched, ("INFO", "server")]
                replies = await self._trip([*proof, *fields, head, pointer, *self._clock])
                now = replies.pop() if self._clock else None
                raw = replies[0]
                if raw == live.raw:
                    return _judged(live, replies, now)
            # Looked up each time: a key that is not held now may be learned later.
            self._live = _Live(raw, *servable(raw, self._token_keys))
        raise CacheUnvouched(_TOO_FAST)

    def _field_command(self, generation: Generation, token: StoredToken) -> Command:
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


def run_id_of(info: bytes) -> bytes:
    """Return the random id of a Redis process from the reply to INFO.

    Raises CacheUnavailable if the reply lacks the id: then no vouch can be trusted.
    """
    match = _RUN_ID.search(info)
    if match is None:
        raise CacheUnavailable("Redis does not tell its run id")
    return match[1]


def vouch_of(generation_id: str, run_id: bytes) -> bytes:
    """Return the value of the vouch's key."""
    return generation_id.encode() + b":" + run_id


def _judged(live: _Live, replies: list[Reply], now: Reply) -> _Reading:
    """Return the reading of a trip; raise unless the generation has a head and a vouch.

    `now` is the time on a cluster, and None on a single server.
    """
    _, raw_head, vouched, info, *fields, head_after, pointer_after = replies
    head = decode_head(raw_head)
    vouch = vouch_of(live.generation.id, run_id_of(info))
    if not _is_vouched(vouched, vouch, now):
        raise CacheUnvouched("the live generation is not vouched for")
    moved = head.partial != "" or (raw_head, live.raw) != (head_after, pointer_after)
    return _Reading(live.generation, head.position, fields, moved)


def _is_vouched(value: bytes | None, vouch: bytes, now: Reply) -> bool:
    """Return whether the value is this vouch and, on a cluster, its end is still to come."""
    if now is None:
        return value == vouch
    given, _, until_ms = (value or b"").rpartition(b":")
    return given == vouch and int(now[0]) * 1000 + int(now[1]) // 1000 < int(until_ms)


def _settle(asks: list[_Ask], reading: _Reading) -> list[_Ask]:
    """Answer all asks whose buckets are whole; return the others."""
    torn: list[_Ask] = []
    unread = iter(reading.fields)
    for ask in asks:
        own = list(islice(unread, len(ask.item)))
        if any(sentinel is None for sentinel, _ in own):
            torn.append(ask)
            continue
        ask.settle(
            Lookup(
                generation=reading.generation,
                position=reading.position,
                values=tuple([value for _, value in own]),
            )
        )
    return torn
