"""Gives each listing of a snapshot its id, and rejects a listing that came before.

A format with ids of the sender has unique ids: the second listing of an id is rejected. Records
without ids keep the ids of their listings in force (`checker.registry.known_ids`). Two records of
one case may name different officers, and nobody may miss them: then both are listings.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.formats.feed_format import ListFormat, Reading
from checker.registry.entry import LineRejected, ListingEntry, RejectCode
from checker.registry.identity import spare_id
from checker.registry.known_ids import known_ids
from checker.registry.schema import listing
from checker.registry.sealing import Sealer

ENTRIES_AT_ONCE = 500
"""Entries whose ids one statement looks up."""


_SAME_ID: Final = "an earlier line has the same id"


class EntryRepeated(LineRejected):
    """An earlier line says the same, so nothing is lost."""

    def __init__(self) -> None:
        super().__init__(RejectCode.DUPLICATE_ID, _SAME_ID)


class RecordIds:
    """The ids of one snapshot."""

    def __init__(
        self, connection: AsyncConnection, sealer: Sealer, feed_format: ListFormat, reading: Reading
    ) -> None:
        self._connection = connection
        self._sealer = sealer
        self._format = feed_format
        self._reading = reading
        self._has_list: bool | None = None
        # 32 bytes a listing: ten million ids can be compared without their texts.
        self._seen: dict[Token, Token] = {}

    async def known(
        self, lines: Sequence[bytes], entries: Sequence[ListingEntry]
    ) -> Sequence[Sequence[str]]:
        """Return the ids that each entry may take, the best first; each was read from its line.

        An id in force that reaches the same officers as an entry is kept for this entry: no other
        entry of `entries` may take it.
        """
        former_id = self._format.former_id
        if former_id is None or not entries or not await self._is_there_a_list():
            return [(entry.id,) for entry in entries]
        found = await known_ids(
            self._connection,
            self._sealer,
            entries,
            lambda place: former_id(lines[place], self._reading),
        )
        kept = {own_id for known in found for own_id in known.same}
        return [
            (*known.same, *(one for one in (*known.others, entry.id) if one not in kept))
            for entry, known in zip(entries, found, strict=True)
        ]

    async def _is_there_a_list(self) -> bool:
        if self._has_list is None:
            is_open = exists().where(listing.c.until_version.is_(None))
            self._has_list = bool((await self._connection.execute(select(is_open))).scalar_one())
        return self._has_list

    def settled(self, entry: ListingEntry, known: Sequence[str]) -> ListingEntry:
        """Return the entry under the first of its `known` ids that no earlier line has.

        If earlier lines have all of them, the entry gets its spare id.

        Raises:
            LineRejected: an earlier line has this id, or reaches the same people in the same case.
        """
        if not self._format.owns_ids:
            self._take(entry.id, self._sealer.digest(entry))
            return entry
        # An entry that reaches no officer is known by the id of its words: most have none.
        reaches = any(officer.resolved for officer in entry.officers)
        content = self._sealer.id_token(self._spare(entry) if reaches else entry.id)
        for own_id in known:
            earlier = self._seen.get(self._sealer.id_token(own_id))
            if earlier == content:
                raise EntryRepeated
            if earlier is None:
                return self._under(entry, own_id, content)
        return self._under(entry, self._spare(entry), content)

    def _spare(self, entry: ListingEntry) -> str:
        return spare_id(self._sealer, entry)

    def _under(self, entry: ListingEntry, own_id: str, content: Token) -> ListingEntry:
        self._take(own_id, content)
        return entry if entry.id == own_id else msgspec.structs.replace(entry, id=own_id)

    def _take(self, own_id: str, content: Token) -> None:
        token = self._sealer.id_token(own_id)
        if self._seen.get(token) == content:
            raise EntryRepeated
        if token in self._seen:
            raise LineRejected(RejectCode.DUPLICATE_ID, _SAME_ID)
        self._seen[token] = content
