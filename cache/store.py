"""The interface to the standings in the cache, and what a lookup answers.

Two classes keep it: `cache.redis_store` on Redis and `cache.memory` in memory, which is the
specification; one test suite runs over both. Knows no store.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from cache.changes import Position
from cache.generation import Generation
from cache.layout import Entries
from cache.token import TOKEN_BYTES, Token

# How long after its last write a build counts as under way: far longer than a write or the step
# to `switch` takes, short enough that what a crash leaves is gone within minutes.
BUILD_MARKER_TTL_S = 600


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """What one generation says of the tokens asked about, in their order.

    None is absence *proven*: the bucket's sentinel was read together with the missing field, and
    the generation was vouched for. Anything less raises. All values belong to `generation`, which
    was live at some moment during the call, and are of one version, that of `position`.
    """

    generation: Generation
    position: Position
    values: tuple[bytes | None, ...]


class StandingCache(Protocol):
    """Standings by token, one generation at a time.

    Any call may raise CacheUnavailable. A store is made for one token key, by its fingerprint.
    """

    async def lookup(self, tokens: Sequence[Token]) -> Lookup:
        """Return the value of each token, or None where its absence is proven.

        Raises CacheIncomplete if the live generation cannot prove either, as CacheUnvouched if it
        may be whole and nobody vouches that it is the newest list, or the list moves on faster than
        it can be read; ValueError if a token has not 16 bytes.
        """
        ...

    async def current(self) -> Generation | None:
        """Return the live generation, whatever its token key; None if there is no pointer.

        Raises CacheIncomplete if the pointer cannot be read.
        """
        ...

    async def build(
        self,
        *,
        position: Position,
        token_key: str,
        count: int,
        entries: Entries,
    ) -> Generation:
        """Write a generation beside the live one and verify it; nothing is switched.

        `entries` gives exactly `count` pairs in batches of any size, tokens strictly ascending,
        values of 64 bytes at most; it is read as a stream. Others on the same event loop are given
        way to every few milliseconds. On any failure the keys are removed. Raises BuildRejected,
        also if `token_key` is not the store's; what `entries` itself raises passes through.
        """
        ...

    async def switch(self, generation: Generation) -> None:
        """Make a generation that `build` returned the live one, in one step.

        The one before stays until it is swept, which may be at once. Wishes for a rebuild end, and
        nobody vouches for the new one yet. Raises BuildRejected if the live one has taken in a
        newer version, or if the build is too long ago: its marker ran out, and a sweep may have
        begun on it. Switching to the live generation changes nothing.
        """
        ...

    async def give_up(self, generation: Generation) -> None:
        """Leave a build to the next sweep, which need not wait until it looks crashed.

        One that has gone live after all stays live.
        """
        ...

    async def withdraw(self) -> None:
        """Make no generation live: until the next switch every lookup raises CacheIncomplete.

        For a caller who knows that the live one was never, or is no longer, the list.
        """
        ...

    async def request_rebuild(self, generation_id: str) -> None:
        """Ask the publisher to replace this generation; a wish for one not live means nothing."""
        ...

    async def sweep(self) -> int:
        """Remove all keys of generations neither live nor being built; return how many.

        A build counts as under way while its marker lasts, so what a crash leaves goes then.
        Raises CacheIncomplete, and removes nothing more, if the pointer cannot be read.
        """
        ...

    async def verify_policy(self) -> None:
        """Raise CacheMisconfigured if the store may evict the list by itself."""
        ...

    async def ping(self) -> None:
        """Raise CacheUnavailable if the store does not answer."""
        ...

    async def aclose(self) -> None:
        """Give up the connections; whoever still waits gets CacheUnavailable."""
        ...


def refuse_misshapen(tokens: Sequence[Token]) -> None:
    """Raise ValueError unless every token has 16 bytes: a cut one would be absent everywhere."""
    if any(len(token) != TOKEN_BYTES for token in tokens):
        raise ValueError(f"a token has {TOKEN_BYTES} bytes")
