"""Gives records of a feed of changes the ids under which their listings are in force."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.intake.quarantine_rows import FeedLine
from checker.registry.known_ids import known_ids
from checker.registry.operations import List
from checker.registry.sealing import Sealer


async def with_known_ids(
    connection: AsyncConnection, sealer: Sealer, lines: Sequence[FeedLine]
) -> tuple[FeedLine, ...]:
    """Return the lines in their order; a record keeps the id of its listing in force.

    A record of the same case that reaches other officers is one more listing, under its spare id.
    The caller holds `Lock.LIST_WRITER`, so the list does not change before the lines are applied.
    """
    records = [
        (place, line.read)
        for place, line in enumerate(lines)
        if isinstance(line.read, List) and line.read.spare_id is not None
    ]
    if not records:
        return tuple(lines)
    settled = [*lines]
    entries = [record.entry for _, record in records]
    found = await known_ids(connection, sealer, entries, lambda index: records[index][1].former_id)
    for (place, record), known in zip(records, found, strict=True):
        own_id = record.entry.id
        if known.same:
            own_id = known.same[0]
        elif known.others and record.spare_id is not None:
            own_id = record.spare_id
        if own_id != record.entry.id:
            entry = msgspec.structs.replace(record.entry, id=own_id)
            read = msgspec.structs.replace(record, entry=entry)
            settled[place] = msgspec.structs.replace(lines[place], read=read)
    return tuple(settled)
