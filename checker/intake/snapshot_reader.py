"""Reads the lines of a snapshot: good lines go to the stage, rejected lines to quarantine."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Callable, Sequence
from datetime import date
from uuid import uuid4

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.copying import copy_rows
from checker.formats.feed_format import ListFormat, Reading
from checker.formats.lines import require_text
from checker.intake.feed_requests import FeedTerms
from checker.intake.part_of_list import foreign_ids
from checker.intake.quarantine_rows import REQUEST_LINES_MAX
from checker.intake.record_ids import ENTRIES_AT_ONCE, EntryRepeated, RecordIds
from checker.intake.report import REPORTED_MAX, FeedReport, RejectedLine
from checker.intake.snapshot_limits import SnapshotCounts
from checker.intake.staging import Stage
from checker.registry.entry import LineRejected, ListingEntry, RejectCode
from checker.registry.schema import quarantine
from checker.registry.sealing import QUARANTINE_RAW, Sealer

LINES_AT_ONCE = 20
"""Lines that are read before the event loop runs other tasks: some two milliseconds."""

HELD_BYTES_MAX = 4 << 20
"""Lines that are held until their ids are known. A line has 500 bytes as a rule."""

_NOT_YOURS = "/court is another court"
_ID_NOT_YOURS = "/id is that of another court's listing"
_QUARANTINE_COLUMNS = ("feed", "format", "line", "code", "detail", "raw", "account_id")


class SnapshotReader:
    """Reads one transfer, inside the caller's transaction."""

    def __init__(
        self,
        connection: AsyncConnection,
        sealer: Sealer,
        feed_format: ListFormat,
        progress: Callable[[int], None],
        terms: FeedTerms,
    ) -> None:
        self.stage = Stage(connection)
        self.rejected: list[RejectedLine] = []
        self.rejected_count = 0
        self._repeated_count = 0
        self._connection = connection
        self._sealer = sealer
        self._format = feed_format
        self._progress = progress
        self._terms = terms
        self._feed = str(uuid4())
        self._dropped: Counter[str] = Counter()
        self._quarantine: list[tuple[str, str, int, str, str, bytes, str | None]] = []

    async def read(self, chunks: AsyncIterable[bytes], today: date) -> None:
        """Read all lines. Raises Unavailable if the sender has gone meanwhile."""
        await self.stage.open()
        reading = Reading(today=today, sent_on=today, identify=self._sealer.listing_id)
        ids = RecordIds(self._connection, self._sealer, self._format, reading)
        held: list[tuple[int, bytes | None, ListingEntry | LineRejected]] = []
        held_bytes = number = 0
        async for number, line in self._format.open(chunks):
            held.append((number, line, self._read(line, reading)))
            held_bytes += len(line or b"")
            if len(held) >= ENTRIES_AT_ONCE or held_bytes >= HELD_BYTES_MAX:
                await self._take_in(ids, held)
                held_bytes = 0
            if number % LINES_AT_ONCE == 0:
                self._progress(number)
                await self._pause()
        await self._take_in(ids, held)
        await copy_rows(self._connection, "quarantine", self._quarantine, _QUARANTINE_COLUMNS)
        self._progress(number)

    @property
    def counts(self) -> SnapshotCounts:
        """Return the numbers of lines that were read so far."""
        return SnapshotCounts(
            accepted=self.stage.accepted,
            rejected=self.rejected_count,
            repeated=self._repeated_count,
        )

    def report(self, version: int) -> FeedReport:
        """Return the report of a list that is in force as `version`."""
        return FeedReport(
            version=version,
            accepted=self.stage.accepted,
            rejected=tuple(sorted(self.rejected, key=lambda each: each.line)),
            rejected_count=self.rejected_count,
            not_quarantined=self.rejected_count - len(self._quarantine),
            dropped_fields=dict(self._dropped),
        )

    async def put_in_force(
        self, version: int, today: date, courts: Sequence[str] | None = None
    ) -> None:
        """Make the staged listings the list, and write `version` to the lines in quarantine.

        With `courts` they are the part of these courts alone, as the list spells them.
        """
        await self.stage.put_in_force(version, today, courts)
        await self._connection.execute(
            update(quarantine).where(quarantine.c.feed == self._feed).values(version=version)
        )

    async def _take_in(
        self, ids: RecordIds, held: list[tuple[int, bytes | None, ListingEntry | LineRejected]]
    ) -> None:
        """Stage the good lines of `held`, reject the others, and empty it."""
        good = [(line or b"", read) for _, line, read in held if isinstance(read, ListingEntry)]
        known = iter(await ids.known([line for line, _ in good], [entry for _, entry in good]))
        settled: list[tuple[int, bytes | None, ListingEntry]] = []
        for number, line, read in held:
            try:
                if isinstance(read, LineRejected):
                    raise read
                settled.append((number, line, ids.settled(read, next(known))))
            except LineRejected as error:
                self._repeated_count += isinstance(error, EntryRepeated)
                self._reject(number, line, error)
        held.clear()
        foreign = await self._foreign_ids([entry.id for _, _, entry in settled])
        for place, (number, line, entry) in enumerate(settled, 1):
            if entry.id in foreign:
                self._reject(number, line, LineRejected(RejectCode.NOT_YOURS, _ID_NOT_YOURS))
            else:
                await self.stage.add(self._sealer.seal(number, entry))
            if place % LINES_AT_ONCE == 0:
                await self._pause()

    async def _foreign_ids(self, ids: Sequence[str]) -> frozenset[str]:
        """Return those of `ids` whose listings the sender may not replace."""
        courts = self._terms.courts
        if courts is None or not ids:
            return frozenset()
        return await foreign_ids(self._connection, ids, courts)

    def _read(self, line: bytes | None, reading: Reading) -> ListingEntry | LineRejected:
        dropped: list[str] = []
        try:
            reading = msgspec.structs.replace(reading, drop=dropped.append)
            entry = self._format.read_line(require_text(line), reading)
        except LineRejected as error:
            return error
        courts = self._terms.courts
        if courts is not None and not courts.holds(entry.court):
            return LineRejected(RejectCode.NOT_YOURS, _NOT_YOURS)
        self._dropped.update(dropped)
        return entry

    async def _pause(self) -> None:
        """Let the event loop run other tasks: the same loop answers checks meanwhile."""
        self._terms.require_present()
        await asyncio.sleep(0)

    def _reject(self, number: int, line: bytes | None, error: LineRejected) -> None:
        self.rejected_count += 1
        if len(self.rejected) < REPORTED_MAX:
            reported = RejectedLine(line=number, code=error.code, detail=error.detail)
            self.rejected.append(reported)
        if len(self._quarantine) >= REQUEST_LINES_MAX:
            return
        raw = (line or b"").decode(errors="backslashreplace")
        sealed = self._sealer.vault.seal(raw, QUARANTINE_RAW, self._feed, str(number))
        place = (self._feed, self._format.name, number)
        self._quarantine.append((*place, error.code, error.detail, sealed, self._terms.account_id))
