"""`Parts` on Redis: each call is one MULTI, so that a part and its record are of one instant."""

from collections.abc import Sequence
from itertools import islice
from typing import Self

from cache.changes import Head, decode_head
from cache.checksum import PAGE_BYTES, buckets_of, segment_field, shelf_field
from cache.errors import CacheIncomplete
from cache.generation import Generation, decode_pointer
from cache.keys import DEFAULT_NAMESPACE, Keys
from cache.parts import (
    Fields,
    HeldParts,
    Records,
    SegmentHeld,
    Shelf,
    Touched,
    page_bytes,
)
from cache.redis_cluster import keys_at
from cache.redis_pipe import Command, Pipe, Reply
from cache.replies import reads_replies


class RedisParts:
    """`Parts` over one connection."""

    def __init__(self, pipe: Pipe, keys: Keys) -> None:
        self._pipe = pipe
        self._keys = keys

    @classmethod
    def connect(
        cls, url: str, *, namespace: str = DEFAULT_NAMESPACE, timeout_s: float = 2.0
    ) -> Self:
        """Return parts over a connection of their own; connects when first asked."""
        keys = keys_at(url, namespace)
        return cls(Pipe(url, keys.stem, timeout_s=timeout_s), keys)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pipe.aclose()

    @reads_replies
    async def held(self, generation: Generation, touched: Touched) -> HeldParts:
        """See `Parts.held`."""
        keys = self._keys
        id_ = generation.id
        replies = iter(
            await self._ask(
                [
                    ("GET", keys.pointer),
                    ("EXISTS", keys.marker(id_)),
                    ("GET", keys.head(id_)),
                    ("HMGET", keys.sums(id_), *touched.fields),
                    *(("HGETALL", keys.bucket(id_, index)) for index in touched.buckets),
                    *(
                        self._page_command(generation, segment, number)
                        for segment, number in touched.pages
                    ),
                ]
            )
        )
        pointer, marked, raw_head, records = islice(replies, 4)
        return HeldParts(
            is_live=_names(pointer, generation),
            is_marked=bool(marked),
            head=_head(raw_head),
            records=dict(zip(touched.fields, records, strict=True)),
            buckets={index: _fields(next(replies)) for index in touched.buckets},
            pages={place: next(replies) for place in touched.pages},
        )

    @reads_replies
    async def records(self, generation: Generation) -> Records:
        """See `Parts.records`."""
        head, flat = await self._ask(
            [
                ("GET", self._keys.head(generation.id)),
                ("HGETALL", self._keys.sums(generation.id)),
            ]
        )
        return Records(head=decode_head(head), fields=_fields(flat))

    @reads_replies
    async def shelf(self, generation: Generation, index: int) -> Shelf:
        """See `Parts.shelf`."""
        buckets = buckets_of(generation, index)
        record, *flat = await self._ask(
            [
                ("HGET", self._keys.sums(generation.id), shelf_field(index)),
                *(("HGETALL", self._keys.bucket(generation.id, bucket)) for bucket in buckets),
            ]
        )
        return Shelf(record=record, buckets=dict(zip(buckets, map(_fields, flat), strict=True)))

    @reads_replies
    async def segment(self, generation: Generation, index: int) -> SegmentHeld:
        """See `Parts.segment`."""
        record, data = await self._ask(
            [
                ("HGET", self._keys.sums(generation.id), segment_field(index)),
                ("GET", self._keys.segment(generation.id, index)),
            ]
        )
        if data is None or len(data) != generation.segment_bytes(index):
            raise CacheIncomplete("a filter segment is missing or cut short")
        return SegmentHeld(record=record, data=data)

    def _page_command(self, generation: Generation, segment: int, number: int) -> Command:
        start = number * PAGE_BYTES
        end = start + page_bytes(generation, segment, number) - 1
        return ("GETRANGE", self._keys.segment(generation.id, segment), start, end)

    async def _ask(self, commands: Sequence[Command]) -> list[Reply]:
        *_, replies = await self._pipe.ask([("MULTI",), *commands, ("EXEC",)])
        # Redis returns the error of a command inside MULTI as one of the replies.
        if any(isinstance(reply, Exception) for reply in replies):
            raise CacheIncomplete("a part of a generation is a key of another type")
        return list(replies)


def _fields(flat: list[bytes]) -> Fields:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _names(pointer: bytes | None, generation: Generation) -> bool:
    try:
        return pointer is not None and decode_pointer(pointer).id == generation.id
    except CacheIncomplete:
        return False


def _head(raw: bytes | None) -> Head | None:
    try:
        return decode_head(raw)
    except CacheIncomplete:
        return None
