"""Reads the lines of a snapshot: good lines go to the stage, rejected lines to quarantine."""

import asyncio
from collections.abc import AsyncIterable, Callable
from datetime import date
from uuid import uuid4

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.copying import copy_rows
from checker.formats.feed_format import ListFormat, Reading
from checker.formats.lines import require_text
from checker.intake.feed_requests import FeedTerms
from checker.intake.quarantine_rows import REQUEST_LINES_MAX
from checker.intake.report import REPORTED_MAX, FeedReport, RejectedLine
from checker.intake.snapshot_limits import SnapshotCounts
from checker.intake.staging import Stage
from checker.registry.entry import LineRejected, ListingEntry, RejectCode
from checker.registry.schema import quarantine
from checker.registry.sealing import QUARANTINE_RAW, Sealer

LINES_AT_ONCE = 20
"""Lines that are read before the event loop runs other tasks: some two milliseconds."""

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
        # 32 bytes a listing: ten million ids can be compared without their texts.
        self._seen: dict[bytes, bytes] = {}
        self._quarantine: list[tuple[str, str, int, str, str, bytes, str | None]] = []

    async def read(self, chunks: AsyncIterable[bytes], today: date) -> None:
        """Read all lines. Raises Unavailable if the sender has gone meanwhile."""
        await self.stage.open()
        reading = Reading(today=today, sent_on=today, identify=self._sealer.listing_id)
        number = 0
        async for number, line in self._format.open(chunks):
            try:
                entry = self._with_own_id(self._format.read_line(require_text(line), reading))
            except LineRejected as error:
                self._reject(number, line, error)
            else:
                await self.stage.add(self._sealer.seal(number, entry))
            if number % LINES_AT_ONCE == 0:
                self._progress(number)
                self._terms.require_present()
                await asyncio.sleep(0)  # the same loop answers checks meanwhile
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
            rejected=tuple(self.rejected),
            rejected_count=self.rejected_count,
            not_quarantined=self.rejected_count - len(self._quarantine),
        )

    async def put_in_force(self, version: int, today: date) -> None:
        """Make the staged listings the list, and write `version` to the lines in quarantine."""
        await self.stage.put_in_force(version, today)
        await self._connection.execute(
            update(quarantine).where(quarantine.c.feed == self._feed).values(version=version)
        )

    def _with_own_id(self, entry: ListingEntry) -> ListingEntry:
        """Return the entry under an id that no earlier line has.

        Two records of a format that derives its ids may share one id. The platform then says more
        about the same case, for example other officers, and nobody may miss them: the later record
        gets another id.

        Raises:
            LineRejected: an earlier line has this id, or says the same.
        """
        digest = self._sealer.digest(entry)
        earlier = self._seen.get(self._sealer.id_token(entry.id))
        if earlier is not None and earlier != digest and self._format.owns_ids:
            other_id = self._sealer.listing_id(digest.hex())
            entry = msgspec.structs.replace(entry, id=other_id)
            earlier = self._seen.get(self._sealer.id_token(other_id))
        if earlier is not None:
            self._repeated_count += earlier == digest
            raise LineRejected(RejectCode.DUPLICATE_ID, "an earlier line has the same id")
        self._seen[self._sealer.id_token(entry.id)] = digest
        return entry

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
