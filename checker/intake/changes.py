"""The feed of changes: reads operations line by line, has them written, and waits until they hold.

Lines are written in slices, in their order, each slice in one commit (`change_writer`); a strict
feed is one slice, so that it is all of it or nothing, and so is a feed with `If-Match`. The result
of a line is known when its slice is committed. The feed is answered when no node can answer from
before the last slice. `checker.intake.feed_requests` says what an idempotency key adds.
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
from checker.errors import TooLarge, Unavailable
from checker.formats.lines import cut_lines, require_text
from checker.formats.listing import parse_listing
from checker.formats.operation import Reading, parse_operation
from checker.formats.zxgk import parse_zxgk
from checker.intake.change_writer import Batch, BatchWritten, ChangeWriter
from checker.intake.feed_requests import (
    NO_TERMS,
    AnsweredBefore,
    FeedRequests,
    FeedTerms,
    KeptRequest,
)
from checker.intake.quarantine_rows import OPERATIONS, REQUEST_LINES_MAX, FeedLine, trim
from checker.intake.report import FeedReport
from checker.intake.running_report import RunningReport
from checker.registry.entry import FeedFormat, LineRejected
from checker.registry.operations import List, Operation
from checker.registry.sealing import Sealer
from checker.registry.versions import ListVersion

SLICE_LINES = 200
"""Lines in one commit; others who change the list have their turn in between."""

SLICE_BYTES = 4 << 20

STRICT_LINES_MAX = 10_000
"""All of a strict feed, or of one with `If-Match`, is held in memory, and holds the list's lock
while it is applied."""

STRICT_BYTES_MAX = 64 << 20

LINES_AT_ONCE = 20
"""Lines read before others of the event loop have their turn: some two milliseconds."""

Rider = Callable[[AsyncConnection, int], Awaitable[None]]
"""Writes what belongs to some operations, in their transaction; it gets the list's version then."""


class ChangesFeed:
    """Takes operations into the registry and puts them in force.

    `measures` are the ids that a retention may name; `in_force` waits until no node can answer from
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
        line_format: str = OPERATIONS,
        progress: Callable[[int], None] = lambda _lines: None,
        terms: FeedTerms = NO_TERMS,
    ) -> FeedReport:
        """Apply the lines of a feed (bytes of NDJSON, cut anywhere) in their order.

        With the format of a listing each line puts one in force. When it returns, what was accepted
        is durable and in force. `progress` is told the lines read so far.

        Raises:
            TooLarge: a feed that is one slice, of more lines or bytes than are held at once;
                nothing changed.
            IdempotencyKeyReused: the key was used for another request; nothing changed.
            Conflict: the list has moved on from `If-Match`, and nothing changed; or the same
                request is carried out on another connection.
            Unavailable: the registry cannot be reached, or the operation is not wanted any more.
                What came before may stand; to send it again does no harm.
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
            with suppress(Unavailable):  # the next transfer trims it then
                await trim(self._engine, terms.account_id)
        return report

    async def apply_again(self, slices: AsyncIterable[Sequence[FeedLine]]) -> FeedReport:
        """Apply lines that were read already, of quarantine; waits and raises as `apply`."""
        report = RunningReport()
        async for slice_ in slices:
            report.add(await self._writer.write(Batch(lines=tuple(slice_))))
        if report.newest is not None:
            await self._in_force(report.newest)
        # What was rejected again stands in quarantine already.
        return msgspec.structs.replace(report.report(), not_quarantined=0)

    async def apply_with(self, operations: Sequence[Operation], rider: Rider) -> int:
        """Apply operations none of which can be rejected, and what `rider` writes with them, as
        one; when it returns, they are durable and in force. Gives the version.

        Raises:
            Unavailable: the registry cannot be reached; whether anything was done is not known.
                Besides, whatever `rider` raises.
        """
        feed = str(uuid4())
        lines = tuple(
            FeedLine(feed=feed, number=number, raw=b"", read=operation)
            for number, operation in enumerate(operations, 1)
        )

        async def ride(connection: AsyncConnection, written: BatchWritten) -> None:
            assert not written.rejected, "what has a rider is known to stand"
            await rider(connection, written.version)

        written = await self._writer.write(Batch(lines=lines, rider=ride))
        if written.newest is not None:
            await self._in_force(written.newest)
        return written.version

    def read(self, line: bytes | None, line_format: str, sent_on: date) -> Operation | LineRejected:
        """Read one line of a format, sent on a day in Shanghai; what is wrong with it is given."""
        today = shanghai_day(self._clock.now())
        try:
            text = require_text(line)
            match line_format:
                case FeedFormat.LISTING:
                    return List(entry=parse_listing(text, today))
                case FeedFormat.ZXGK:
                    entry = parse_zxgk(text, today, self._sealer.listing_id)
                    spare_id = self._sealer.listing_id(self._sealer.digest(entry).hex())
                    return List(entry=entry, spare_id=spare_id)
                case _:
                    reading = Reading(today=today, sent_on=sent_on, measures=self._measures)
                    return parse_operation(text, reading)
        except LineRejected as error:
            return error

    async def aclose(self) -> None:
        """Stop writing; whoever waits is cancelled."""
        await self._writer.aclose()

    async def _write(
        self,
        slices: AsyncIterable[list[FeedLine]],
        kept: KeptRequest | None,
        strict: bool,
        terms: FeedTerms,
    ) -> tuple[FeedReport, ListVersion | None]:
        """Write slice by slice; with a key each slice is written with the report so far."""
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
        line_format: str,
        progress: Callable[[int], None],
    ) -> AsyncIterator[list[FeedLine]]:
        """Read the lines after the first `done`; all of them are one slice if `one_slice`."""
        done, one_slice = cut
        feed = str(uuid4())
        sent_on = shanghai_day(self._clock.now())
        held: list[FeedLine] = []
        held_bytes = number = 0
        async for number, line in cut_lines(chunks):
            if number <= done:
                continue
            read = self.read(line, line_format, sent_on)
            raw = line or b""
            held.append(
                FeedLine(feed=feed, number=number, raw=raw, read=read, line_format=line_format)
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
    """Yield each slice with whether it is the last one; a feed without lines is one empty slice."""
    held: list[FeedLine] | None = None
    try:
        async for slice_ in slices:
            if held is not None:
                yield held, False
            held = slice_
    except Exception:
        # A transfer that breaks off leaves its whole slices.
        if held is not None:
            yield held, False
        raise
    yield held or [], True
