"""The interface by which one publisher brings changes to the cache and vouches for them.

Every write compares what it finds with what the publisher believes, so that one that has lost its
lead without knowing does no harm. Two classes keep it: `cache.redis_list_writer` on Redis and
`cache.memory_list_writer` in memory, which is the specification. Knows no store.
"""

from collections.abc import Iterator
from itertools import count, islice
from typing import Protocol
from uuid import uuid4

import msgspec

from cache.changes import Change, Head, Position
from cache.checksum import VALUE_BYTES_MAX
from cache.generation import Generation
from cache.store import refuse_misshapen
from cache.token import Token

SLICE_TOKENS = 200
"""Tokens brought in one step: some 3 ms of Redis's time, in which nobody else is served."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where the cache stands, as one publisher may know it.

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
        """Read where the cache stands."""
        ...

    async def apply(self, generation: Generation, change: Change, *, live: bool) -> None:
        """Bring a change into a generation: the live one, or one that is built and not yet live.

        Of a big change the tokens come in slices, and its version with the last: until then the
        head says that a part of it is in, and lookups are not answered. Bringing a change, or a
        part of it, twice does no harm. `live` also writes it to the stream. Raises ChangeRefused if
        the generation's head is not at `change.before`, or it is not live, or, with `live`
        False, no longer being built; CacheIncomplete if a bucket or segment is not whole, or a
        bucket does not match its checksum. Then nothing is made anew.
        """
        ...

    async def vouch(self, generation: Generation, position: Position, *, asked_ms_ago: int) -> bool:
        """Say that the live generation holds all that the registry had `asked_ms_ago`.

        Lookups believe it until VOUCH_MS after that moment, nodes are told by a heartbeat. False,
        and nothing is said: WRITE_DEADLINE_S have passed since that moment when the store comes to
        it, or the generation is not live, or its head is not at `position`.
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

    `before` and `after` are what the head says of the slices that are in (`Head.partial`). A slice
    stands on those before it: a store that was set back in between must not take it. Before the
    first one nothing is asked, for another attempt may have been given up.
    """

    outlines: tuple[tuple[Token, bytes | None], ...]
    is_last: bool
    before: str
    after: str


def slices(change: Change) -> Iterator[ChangeSlice]:
    """Cut a change; one without tokens is one slice. Raises ValueError for misshapen ones."""
    assert change.after.version > change.before.version, "a change leads to a newer version"
    refuse_misshapen(list(change.outlines))
    if any(len(value or b"") > VALUE_BYTES_MAX for value in change.outlines.values()):
        raise ValueError(f"a value has at most {VALUE_BYTES_MAX} bytes")
    # In the order of tokens a slice touches fewer buckets and segments.
    outlines = iter(sorted(change.outlines.items()))
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
