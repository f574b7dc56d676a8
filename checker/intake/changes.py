"""The feed of changes: reads operations, writes them, and waits until they are in force.

Lines are written in slices, each slice in one commit (`change_writer`). Lines that free people go
first, as far as that changes nothing else (`removals_first`). A strict feed is one slice, so all of
it stands or nothing; so is a feed with `If-Match`. The result of a line is known when its slice is
committed. The feed is answered when no node can answer from a state before the last slice.
`checker.intake.feed_requests` explains idempotency keys.
"""

import functools
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence, Set
from contextlib import suppress
from datetime import date
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.domain.clock import Clock, shanghai_day
from checker.domain.court import Courts
from checker.errors import Conflict, Unavailable
from checker.formats.feed_format import LineFormat, Reading
from checker.formats.lines import require_text
from checker.formats.operation import OPERATION
from checker.intake.batch_written import BatchWritten
from checker.intake.change_slices import FeedSlice, cut_slices, with_last
from checker.intake.change_writer import Batch, ChangeWriter
from checker.intake.feed_requests import (
    NO_TERMS,
    AnsweredBefore,
    FeedRequests,
    FeedTerms,
    KeptRequest,
)
from checker.intake.quarantine_rows import REQUEST_LINES_MAX, FeedLine, trim
from checker.intake.removals_first import OrderedLine, in_order, removals_first
from checker.intake.report import FeedReport
from checker.intake.running_report import RunningReport
from checker.registry.entry import LineRejected, ListingEntry
from checker.registry.identity import spare_id
from checker.registry.operations import List, Operation
from checker.registry.sealing import Sealer
from checker.registry.versions import ListVersion

Rider = Callable[[AsyncConnection, int], Awaitable[None]]
"""Writes rows that belong to some operations, in the same transaction. It gets the new version."""


class ChangesFeed:
    """Takes operations into the registry and puts them in force.

    A retention may name only `measures`. `in_force` waits until no node can answer from a state
    before a version.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        clock: Clock,
        measures: Set[str],
        in_force: Callable[[ListVersion], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._requests = FeedRequests(engine=engine, vault=sealer.vault, clock=clock)
        self._writer = ChangeWriter(engine, sealer, clock)
        self._sealer = sealer
        self._clock = clock
        self._measures = measures
        self._in_force = in_force

    async def apply(
        self,
        chunks: AsyncIterable[bytes],
        *,
        strict: bool = False,
        line_format: LineFormat = OPERATION,
        progress: Callable[[int], None] = lambda _lines: None,
        terms: FeedTerms = NO_TERMS,
    ) -> FeedReport:
        """Apply the lines of a feed, bytes that are cut anywhere, and return the report.

        The result is as in the order of the lines. If `chunks` can be iterated again (`Utf8Text`),
        lines that free people go first. In a format of listings each line puts one listing in
        force. When this returns, the accepted lines are durable and in force. `progress` gets the
        number of lines read so far.

        Raises:
            TooLarge: a feed of one slice has more lines or bytes than are held at once; nothing
                changed.
            IdempotencyKeyReused: the key was used for another request; nothing changed.
            Conflict: the list has moved on from `If-Match`, and nothing changed; or another
                connection carries out the same request.
            Unavailable: the registry cannot be reached, or the caller is gone. Earlier lines may
                stand; sending the feed again does no harm.
        """
        try:
            kept = await self._requests.begin(terms)
            one_slice = strict or terms.if_match is not None
            if kept is None:
                can_reorder = line_format is OPERATION and aiter(chunks) is not chunks
                kept = KeptRequest(
                    lines=0, is_whole=False, removals_first=can_reorder and not one_slice
                )
            lines = self._ordered(chunks, kept, line_format)
            sent_on = shanghai_day(self._clock.now())
            slices = cut_slices(
                lines,
                lambda line: self.read(line, line_format, sent_on),
                line_format,
                progress,
                behind=kept.lines,
                one_slice=one_slice,
            )
            report, newest = await self._write(slices, kept, strict, terms)
        except AnsweredBefore as before:
            report, newest = before.report(), await self._requests.version_of(before)
        if newest is not None:
            await self._in_force(newest)
        if report.rejected_count:
            with suppress(Unavailable):  # the next transfer trims the quarantine then
                await trim(self._engine, terms.account_id)
        return report

    async def apply_again(
        self, slices: AsyncIterable[Sequence[FeedLine]], courts: Courts | None = None
    ) -> FeedReport:
        """Apply lines of the quarantine, already read. Waits, returns and raises as `apply`."""
        report = RunningReport()
        async for slice_ in slices:
            report.add(await self._writer.write(Batch(lines=tuple(slice_), courts=courts)))
        if report.newest is not None:
            await self._in_force(report.newest)
        # Lines that are rejected again stand in quarantine already.
        return msgspec.structs.replace(report.report(), not_quarantined=0)

    async def apply_with(self, operations: Sequence[Operation], rider: Rider) -> int:
        """Apply operations, all or none, and the rows of `rider`, as one. Return the version.

        The operations are durable and in force when this returns.

        Raises:
            Conflict: the list does not allow an operation. Nothing was done.
            Unavailable: the registry cannot be reached. It is not known whether anything was done.
                Besides, every error of `rider`.
        """
        feed = str(uuid4())
        lines = tuple(
            FeedLine(feed=feed, number=number, raw=b"", read=operation)
            for number, operation in enumerate(operations, 1)
        )

        async def ride(connection: AsyncConnection, written: BatchWritten) -> None:
            refused = [each.rejected.detail for each in written.rejected if each.rejected]
            if refused:
                raise Conflict(refused[0])
            await rider(connection, written.version)

        written = await self._writer.write(Batch(lines=lines, rider=ride, goes_first=True))
        if written.newest is not None:
            await self._in_force(written.newest)
        return written.version

    def read(
        self, line: bytes | None, line_format: LineFormat, sent_on: date
    ) -> Operation | LineRejected:
        """Return the operation that a line asks for, or the reason why the line is rejected.

        `sent_on` is the day in Shanghai on which the line was sent.
        """
        dropped: list[str] = []
        reading = msgspec.structs.replace(self._reading(sent_on), drop=dropped.append)
        try:
            content = line_format.read_line(require_text(line), reading)
        except LineRejected as error:
            return error
        if not isinstance(content, ListingEntry):
            return content
        if line_format.former_id is None:
            return List(entry=content, dropped_fields=tuple(dropped))
        return List(
            entry=content,
            spare_id=spare_id(self._sealer, content),
            former_id=line_format.former_id(line or b"", reading),
            dropped_fields=tuple(dropped),
        )

    def _reading(self, sent_on: date) -> Reading:
        return Reading(
            today=shanghai_day(self._clock.now()),
            sent_on=sent_on,
            identify=self._sealer.listing_id,
            measures=self._measures,
        )

    async def aclose(self) -> None:
        """Stop writing. Callers that wait are cancelled."""
        await self._writer.aclose()

    async def _write(
        self,
        slices: AsyncIterable[FeedSlice],
        kept: KeptRequest,
        strict: bool,
        terms: FeedTerms,
    ) -> tuple[FeedReport, ListVersion | None]:
        """Write slice by slice. With a key, each slice is written with the report so far."""
        report = RunningReport(kept.report)
        async for slice_, is_last in with_last(slices, kept.lines):
            admit = functools.partial(self._requests.admit, terms=terms, lines=kept.lines)
            kept = msgspec.structs.replace(kept, lines=slice_.came_to, is_whole=is_last)
            keep = functools.partial(self._keep, terms, report, kept)
            batch = Batch(
                lines=tuple(slice_.lines),
                strict=strict,
                admit=None if terms is NO_TERMS else admit,
                rider=None if terms.key is None else keep,
                key=None if terms.key is None else terms.key.key_digest,
                is_alone=terms.if_match is not None,
                goes_first=slice_.goes_first,
                account_id=terms.account_id,
                courts=terms.courts,
                quarantine_max=max(0, REQUEST_LINES_MAX - report.quarantined),
            )
            report.add(await self._writer.write(batch))
            terms.waits()
        return report.report(), report.newest

    async def _keep(
        self,
        terms: FeedTerms,
        report: RunningReport,
        kept: KeptRequest,
        connection: AsyncConnection,
        written: BatchWritten,
    ) -> None:
        next_report = report.after(written, is_whole=kept.is_whole)
        kept = msgspec.structs.replace(kept, report=next_report)
        await self._requests.keep(connection, terms, kept)

    def _ordered(
        self, chunks: AsyncIterable[bytes], kept: KeptRequest, line_format: LineFormat
    ) -> AsyncIterator[OrderedLine]:
        """Return all lines, in the order in which the request applies lines."""
        lines = line_format.open(chunks)
        if not kept.removals_first:
            return in_order(lines)
        reading = self._reading(shanghai_day(self._clock.now()))
        scouted = line_format.open(chunks)
        return removals_first(lines, scouted, reading, self._sealer.document_token)
