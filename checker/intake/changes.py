"""The feed of changes: reads operations, writes them, and waits until they are in force.

Lines are written in slices, in their order, each slice in one commit (`change_writer`). A strict
feed is one slice, so all of it stands or nothing; so is a feed with `If-Match`. The result of a
line is known when its slice is committed. The feed is answered when no node can answer from a state
before the last slice. `checker.intake.feed_requests` explains idempotency keys.
"""

import asyncio
import functools
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence, Set
from contextlib import suppress
from datetime import date
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.domain.clock import Clock, shanghai_day
from checker.domain.court import Courts
from checker.errors import Conflict, TooLarge, Unavailable
from checker.formats.feed_format import LineFormat, Reading
from checker.formats.lines import require_text
from checker.formats.operation import OPERATION
from checker.intake.change_writer import Batch, BatchWritten, ChangeWriter
from checker.intake.feed_requests import (
    NO_TERMS,
    AnsweredBefore,
    FeedRequests,
    FeedTerms,
    KeptRequest,
)
from checker.intake.quarantine_rows import REQUEST_LINES_MAX, FeedLine, trim
from checker.intake.report import FeedReport
from checker.intake.running_report import RunningReport
from checker.registry.entry import LineRejected, ListingEntry
from checker.registry.identity import spare_id
from checker.registry.operations import List, Operation
from checker.registry.sealing import Sealer
from checker.registry.versions import ListVersion

SLICE_LINES = 200
"""Lines in one commit. Other writers of the list have their turn between two slices."""

SLICE_BYTES = 4 << 20

STRICT_LINES_MAX = 10_000
"""A strict feed, or a feed with `If-Match`, is held in memory as a whole. It holds the lock of the
list while it is applied."""

STRICT_BYTES_MAX = 64 << 20

LINES_AT_ONCE = 20
"""Lines that are read before the event loop runs other tasks: some two milliseconds."""

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
        """Apply the lines of a feed, bytes that are cut anywhere, in their order, and return the
        report.

        In a format of listings each line puts one listing in force. When this returns, the accepted
        lines are durable and in force. `progress` gets the number of lines read so far.

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
            done = 0 if kept is None else kept.lines
            one_slice = strict or terms.if_match is not None
            slices = self._slices(chunks, (done, one_slice), line_format, progress)
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

        written = await self._writer.write(Batch(lines=lines, rider=ride))
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
        reading = Reading(
            today=shanghai_day(self._clock.now()),
            sent_on=sent_on,
            identify=self._sealer.listing_id,
            measures=self._measures,
            drop=dropped.append,
        )
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

    async def aclose(self) -> None:
        """Stop writing. Callers that wait are cancelled."""
        await self._writer.aclose()

    async def _write(
        self,
        slices: AsyncIterable[list[FeedLine]],
        kept: KeptRequest | None,
        strict: bool,
        terms: FeedTerms,
    ) -> tuple[FeedReport, ListVersion | None]:
        """Write slice by slice. With a key, each slice is written with the report so far."""
        done = 0 if kept is None else kept.lines
        report = RunningReport(None if kept is None else kept.report)
        async for slice_, is_last in _with_last(slices):
            lines = slice_[-1].number if slice_ else done
            admit = functools.partial(self._requests.admit, terms=terms, lines=done)
            keep = functools.partial(self._keep, terms, report, (lines, is_last))
            batch = Batch(
                lines=tuple(slice_),
                strict=strict,
                admit=None if terms is NO_TERMS else admit,
                rider=None if terms.key is None else keep,
                key=None if terms.key is None else terms.key.key_digest,
                is_alone=terms.if_match is not None,
                account_id=terms.account_id,
                courts=terms.courts,
                quarantine_max=max(0, REQUEST_LINES_MAX - report.quarantined),
            )
            report.add(await self._writer.write(batch))
            done = lines
            terms.waits()
        return report.report(), report.newest

    async def _keep(
        self,
        terms: FeedTerms,
        report: RunningReport,
        came_to: tuple[int, bool],
        connection: AsyncConnection,
        written: BatchWritten,
    ) -> None:
        lines, is_whole = came_to
        next_report = report.after(written, is_whole=is_whole)
        kept = KeptRequest(lines=lines, is_whole=is_whole, report=next_report)
        await self._requests.keep(connection, terms, kept)

    async def _slices(
        self,
        chunks: AsyncIterable[bytes],
        cut: tuple[int, bool],
        line_format: LineFormat,
        progress: Callable[[int], None],
    ) -> AsyncIterator[list[FeedLine]]:
        """Yield the lines behind the first `done` in slices, or in one slice if `one_slice`."""
        done, one_slice = cut
        feed = str(uuid4())
        sent_on = shanghai_day(self._clock.now())
        held: list[FeedLine] = []
        held_bytes = number = 0
        async for number, line in line_format.open(chunks):
            if number <= done:
                continue
            read = self.read(line, line_format, sent_on)
            raw = line or b""
            held.append(
                FeedLine(feed=feed, number=number, raw=raw, read=read, line_format=line_format.name)
            )
            held_bytes += len(raw)
            if one_slice:
                if len(held) > STRICT_LINES_MAX or held_bytes > STRICT_BYTES_MAX:
                    text = f"with strict or If-Match a feed has at most {STRICT_LINES_MAX} lines"
                    raise TooLarge(f"{text}, and 64 MiB")
            elif len(held) >= SLICE_LINES or held_bytes >= SLICE_BYTES:
                yield held
                held, held_bytes = [], 0
            if number % LINES_AT_ONCE == 0:
                progress(number)
                await asyncio.sleep(0)
        progress(number)
        if held:
            yield held


async def _with_last(
    slices: AsyncIterable[list[FeedLine]],
) -> AsyncIterator[tuple[list[FeedLine], bool]]:
    """Yield each slice with whether it is the last. A feed without lines is one empty slice."""
    held: list[FeedLine] | None = None
    try:
        async for slice_ in slices:
            if held is not None:
                yield held, False
            held = slice_
    except Exception:
        # The whole slices of a broken transfer stand.
        if held is not None:
            yield held, False
        raise
    yield held or [], True
