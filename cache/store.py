"""The interface to the standings in the cache, and the answer of a lookup.

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
    """The values of tokens in one generation, in the order of the tokens.

    None is absence *proven*: the bucket's sentinel was read together with the missing field, and
    the generation was vouched for. Anything less raises. All values belong to `generation`, which
    was live at some moment during the call, and are of one version, that of `position`.
    """

    generation: Generation
    position: Position
    values: tuple[bytes | None, ...]


class StandingCache(Protocol):
    """Standings by token, one generation at a time.

    Any call may raise CacheUnavailable. A store is made with the keys that its process holds. It
    serves a generation whose key is among them, and no other.
    """

    async def lookup(self, tokens: Sequence[Token]) -> Lookup:
        """Return the value of each token, or None where its absence is proven.

        Raises:
            CacheIncomplete: the live generation cannot prove either, or its key is not held.
            CacheUnvouched: the live generation may be whole, but nobody vouches that it is the
                newest list, or the list changes faster than it can be read.
            ValueError: a token has not 16 bytes.
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

        `entries` gives exactly `count` pairs in batches of any size, values of 64 bytes at most.
        Their tokens are stored tokens, of the key with the fingerprint `token_key`, and strictly
        ascend. The entries are read as a stream. Every few milliseconds the build gives way to
        other work of the event loop. On any failure the keys are removed.

        Raises BuildRejected, also if the key is not held; errors of `entries` itself pass through.
        """
        ...

    async def switch(self, generation: Generation) -> None:
        """Make a generation that `build` returned the live one, in one step.

        The generation before stays until it is swept, which may be at once. Wishes for a rebuild
        end, and nobody vouches for the new generation yet. Switching to the live generation changes
        nothing.

        Raises BuildRejected if the live generation has a newer version, or if the build is too long
        ago: its marker has expired, and a sweep may have begun on it.
        """
        ...

    async def give_up(self, generation: Generation) -> None:
        """Leave a build to the next sweep, without waiting for the end of its marker.

        A build that has gone live after all stays live.
        """
        ...

    async def withdraw(self) -> None:
        """Make no generation live: until the next switch every lookup raises CacheIncomplete.

        For a caller who knows that the live generation is not the list, or no longer.
        """
        ...

    async def request_rebuild(self, generation_id: str) -> None:
        """Ask the publisher to replace this generation; the wish counts only while it is live."""
        ...

    async def sweep(self) -> int:
        """Remove all keys of generations neither live nor being built; return the number of keys.

        A build counts as under way while its marker lasts, so the keys of a crash go after that.
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
        """Close the connections; a caller that still waits gets CacheUnavailable."""
        ...


def refuse_misshapen(tokens: Sequence[Token]) -> None:
    """Raise ValueError unless every token has 16 bytes: a cut one would be absent everywhere."""
    if any(len(token) != TOKEN_BYTES for token in tokens):
        raise ValueError(f"a token has {TOKEN_BYTES} bytes")
