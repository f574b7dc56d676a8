"""Counts of items, hits and distinct elements, by name and by group of names, within an hour.

Redis keeps numbers of items and hits, and a HyperLogLog of the elements. Each element is hashed
with a random salt that ends with the hour. So after the hour nobody can try a list of elements on
the counts, nor compare one hour with another. An element that is never given leaves nothing at all.

    <namespace>:tally:<start>:n:<name>     hash: items, distinct, hits, regular
    <namespace>:tally:<start>:g:<group>    the same of a group; regular: number of its regular names
    <namespace>:tally:<start>:d:<name>     HyperLogLog of the name's elements
    <namespace>:tally:<start>:salt         the salt of the elements' hashes

All keys end with the hour, by Redis's clock. Counts that are lost with Redis begin anew.
"""

import secrets
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Protocol

import msgspec

from cache.keys import DEFAULT_NAMESPACE, KeyFamily
from cache.redis_cluster import stem_at
from cache.redis_pipe import Command, Pipe, Reply
from cache.replies import reads_replies

WINDOW_S = 3600
ELEMENT_BYTES = 16
SALT_BYTES = 16

_TALLY = files("cache").joinpath("tally.lua").read_text(encoding="utf-8")


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """The items, hits and elements of one name since the last time; elements have 16 bytes."""

    name: str
    group: str
    items: int
    hits: int
    elements: tuple[bytes, ...]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of this hour; `regular`: the number of names with items enough to compare with."""

    items: int
    distinct: int
    hits: int
    regular: int


class TallyCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a name, and of its group with the name, since `start`, in Unix seconds."""

    start: int
    own: Totals
    group: Totals


class GroupTally(Protocol):
    """Counts by name and group."""

    async def add(self, noted: Sequence[Noted], *, regular_from: int) -> list[TallyCounts]:
        """Add the notes and return the counts; a name is regular from `regular_from` items on.

        Raises CacheUnavailable: the notes may have been added, in part or whole.
        """
        ...


class RedisTally:
    """`GroupTally` on Redis; distinct elements are estimated, within a few percent."""

    def __init__(
        self, url: str, *, namespace: str = DEFAULT_NAMESPACE, timeout_s: float = 0.25
    ) -> None:
        stem = stem_at(url, namespace, KeyFamily.COUNTS)
        self._pipe = Pipe(url, stem, timeout_s=timeout_s)
        self._stem = f"{stem}:tally"

    @reads_replies
    async def add(self, noted: Sequence[Noted], *, regular_from: int) -> list[TallyCounts]:
        """See `GroupTally.add`."""
        commands = [self._command(one, regular_from) for one in noted]
        # Never sent twice: the notes would be counted twice.
        replies = await self._pipe.ask(commands, again=False)
        return [_counted(reply) for reply in replies]

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pipe.aclose()

    def _command(self, one: Noted, regular_from: int) -> Command:
        salt = secrets.token_bytes(SALT_BYTES)
        counts = (WINDOW_S, one.name, one.group, one.items, one.hits, regular_from)
        return ("EVAL", _TALLY, 1, self._stem, *counts, salt, *one.elements)


class MemoryTally:
    """`GroupTally` in memory, the specification; `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = 0
        self._names: dict[str, dict[str, int]] = {}
        self._groups: dict[str, dict[str, int]] = {}
        self._elements: dict[str, set[bytes]] = {}

    async def add(self, noted: Sequence[Noted], *, regular_from: int) -> list[TallyCounts]:
        """See `GroupTally.add`."""
        now = int(self._clock())
        start = now - now % WINDOW_S
        if start != self._start:
            self._start = start
            self._names, self._groups, self._elements = {}, {}, {}
        return [self._add(one, regular_from) for one in noted]

    def _add(self, one: Noted, regular_from: int) -> TallyCounts:
        own = self._names.setdefault(one.name, _nothing())
        group = self._groups.setdefault(one.group, _nothing())
        elements = self._elements.setdefault(one.name, set())
        before = len(elements)
        elements.update(one.elements)
        is_regular = own["items"] + one.items >= regular_from
        added = {
            "items": one.items,
            "hits": one.hits,
            "distinct": len(elements) - before,
            "regular": int(is_regular) - own["regular"],
        }
        for counts in (own, group):
            for field, number in added.items():
                counts[field] += number
        return TallyCounts(start=self._start, own=Totals(**own), group=Totals(**group))


def _nothing() -> dict[str, int]:
    return dict.fromkeys(Totals.__struct_fields__, 0)


def _counted(reply: Reply) -> TallyCounts:
    start, *numbers = reply
    own, group = (
        Totals(items=items, distinct=distinct, hits=hits, regular=regular)
        for items, distinct, hits, regular in (numbers[:4], numbers[4:])
    )
    return TallyCounts(start=start, own=own, group=group)
