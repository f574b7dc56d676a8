"""`Parts` in memory: the specification, and the one for other tests. Knows no Redis."""

from cache.changes import decode_head
from cache.checksum import PAGE_BYTES, buckets_of, segment_field, shelf_field
from cache.errors import CacheIncomplete, CacheUnavailable
from cache.generation import Generation, decode_pointer
from cache.keys import Keys
from cache.memory import MemoryStore
from cache.parts import HeldParts, Records, SegmentHeld, Shelf, Touched, page_bytes


class MemoryParts:
    """`Parts` over a `MemoryStore`."""

    def __init__(self, memory: MemoryStore, keys: Keys) -> None:
        self._memory = memory
        self._keys = keys

    async def held(self, generation: Generation, touched: Touched) -> HeldParts:
        """See `Parts.held`."""
        return self.held_now(generation, touched)

    def held_now(self, generation: Generation, touched: Touched) -> HeldParts:
        """Return the same without waiting, for a caller that changes the parts in the same step."""
        memory, keys = self._reach(), self._keys
        id_ = generation.id
        records = memory.hashes.get(keys.sums(id_), {})
        return HeldParts(
            is_live=self._is_live(generation),
            is_marked=keys.marker(id_) in memory.names(),
            head=memory.head(keys.head(id_)),
            records={field: records.get(field) for field in touched.fields},
            buckets={
                index: dict(memory.hashes.get(keys.bucket(id_, index), {}))
                for index in touched.buckets
            },
            pages={
                (segment, number): self._page(generation, segment, number)
                for segment, number in touched.pages
            },
        )

    async def records(self, generation: Generation) -> Records:
        """See `Parts.records`."""
        memory = self._reach()
        head = decode_head(memory.strings.get(self._keys.head(generation.id)))
        fields = memory.hashes.get(self._keys.sums(generation.id), {})
        return Records(head=head, fields=dict(fields))

    async def shelf(self, generation: Generation, index: int) -> Shelf:
        """See `Parts.shelf`."""
        hashes, id_ = self._reach().hashes, generation.id
        return Shelf(
            record=hashes.get(self._keys.sums(id_), {}).get(shelf_field(index)),
            buckets={
                bucket: dict(hashes.get(self._keys.bucket(id_, bucket), {}))
                for bucket in buckets_of(generation, index)
            },
        )

    async def segment(self, generation: Generation, index: int) -> SegmentHeld:
        """See `Parts.segment`."""
        memory, id_ = self._reach(), generation.id
        data = memory.strings.get(self._keys.segment(id_, index), b"")
        if len(data) != generation.segment_bytes(index):
            raise CacheIncomplete("a filter segment is missing or cut short")
        record = memory.hashes.get(self._keys.sums(id_), {}).get(segment_field(index))
        return SegmentHeld(record=record, data=data)

    def _page(self, generation: Generation, segment: int, number: int) -> bytes:
        data = self._memory.strings.get(self._keys.segment(generation.id, segment), b"")
        start = number * PAGE_BYTES
        return data[start : start + page_bytes(generation, segment, number)]

    def _is_live(self, generation: Generation) -> bool:
        pointer = self._memory.string(self._keys.pointer)
        try:
            return pointer is not None and decode_pointer(pointer).id == generation.id
        except CacheIncomplete:
            return False

    def _reach(self) -> MemoryStore:
        if not self._memory.reachable:
            raise CacheUnavailable("the memory cannot be reached")
        return self._memory
