"""The interface by which one publisher brings changes to the cache and vouches for them.

Every write compares the state that it finds with the state that the publisher knows. So a publisher
that has lost its lead without knowing does no harm.

Two classes keep the interface: `cache.redis_list_writer` on Redis and `cache.memory_list_writer` in
memory. The one in memory is the specification. This file knows no store.
"""

from collections.abc import Iterator
from itertools import count, islice
from typing import Protocol
from uuid import uuid4

import msgspec

from cache.changes import Change, Head, Position, StreamEntry
from cache.checksum import VALUE_BYTES_MAX
from cache.generation import Generation
from cache.store import refuse_misshapen
from cache.token import StoredToken
from cache.token_key import TokenKey

SLICE_TOKENS = 200
"""Tokens brought in one step: some 3 ms of Redis's time, in which nobody else is served."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the cache, as one publisher knows it.

    `generation` and `head` are both None unless pointer and head are there and can be read.
    `nodes_whole`: every node that lives on the cache is in the hash of nodes.
    """

    generation: Generation | None
    head: Head | None
    rebuild_wanted: str | None
    nodes_whole: bool


class ListWriter(Protocol):
    """The publisher's side of the cache. Any call may raise CacheUnavailable."""

    async def state(self) -> State:
        """Return the state of the cache."""
        ...

    async def apply(self, generation: Generation, change: Change, *, live: bool) -> None:
        """Bring a change into a generation: the live one, or one that is built and not yet live.

        The change has tokens, and they are stored under the generation's own key: while a key is
        replaced, the live generation may have another key than the one that is built.

        The tokens of a big change come in slices, and its version comes with the last slice. Until
        then the head names the slices that are in, and lookups are not answered. Bringing a change,
        or a part of it, twice does no harm. With `live` the change is also written to the stream.

        Raises:
            ChangeRefused: the generation's head is not at `change.before`; or the generation is not
                live; or, with `live` False, it is no longer being built.
            CacheIncomplete: a bucket or segment is not whole, or a bucket does not match its
                checksum, or the generation's key is not held. Nothing is repaired here.
        """
        ...

    async def vouch(self, generation: Generation, position: Position, *, asked_ms_ago: int) -> bool:
        """Vouch that the live generation holds all changes that the registry had `asked_ms_ago`.

        Lookups rely on the vouch until VOUCH_MS after that moment, and nodes read a heartbeat.
        Returns False, and vouches for nothing, if the store comes to it later than WRITE_DEADLINE_S
        after that moment, the generation is not live, or its head is not at `position`.
        """
        ...

    async def recent(self) -> tuple[Position, ...]:
        """Return the positions that the stream of changes still names, oldest first."""
        ...

    async def aclose(self) -> None:
        """Give up the connection."""
        ...


class ChangeSlice(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a change that is brought in one step; the last one moves the head.

    `outlines` are by stored tokens, in their order.

    `before` and `after` are the values of `Head.partial` before and after the slice. A slice stands
    on the slices before it: a store that was set back in between must not take the slice. The first
    slice compares nothing, because an earlier attempt may have been given up.
    """

    outlines: tuple[tuple[StoredToken, bytes | None], ...]
    is_last: bool
    before: str
    after: str


def entry_of(change: Change, part: ChangeSlice) -> StreamEntry:
    """Return the entry of the stream for one slice of a change of the live generation."""
    return StreamEntry(
        position=change.after if part.is_last else change.before,
        previous=change.before.version,
        previous_id=change.before.change_id,
        tokens=tuple(token for token, value in part.outlines if value is not None),
        final=part.is_last,
    )


def slices(change: Change, key: TokenKey) -> Iterator[ChangeSlice]:
    """Yield the slices of a change for a generation with this key; one slice without tokens.

    Raises ValueError for a misshapen token or value.
    """
    assert change.after.version > change.before.version, "a change leads to a newer version"
    tokens = list(change.outlines)
    refuse_misshapen(tokens)
    if any(len(value or b"") > VALUE_BYTES_MAX for value in change.outlines.values()):
        raise ValueError(f"a value has at most {VALUE_BYTES_MAX} bytes")
    # In the order of stored tokens a slice touches fewer buckets and segments.
    stored = zip(key.each_stored(tokens), change.outlines.values(), strict=True)
    outlines = iter(sorted(stored))
    left = len(change.outlines)
    attempt, before = uuid4().hex, ""
    for number in count(1):
        part = tuple(islice(outlines, SLICE_TOKENS))
        left -= len(part)
        after = f"{attempt}:{number}" if left else ""
        yield ChangeSlice(outlines=part, is_last=not left, before=before, after=after)
        if not left:
            return
        before = after
